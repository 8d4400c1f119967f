/* Puts the remembered choice of colours on the page before it is first drawn, so that nobody in a dark
   booth is blinded for a moment. A plain script on purpose: modules run too late for that. */
(() => {
  try {
    const chosen = JSON.parse(localStorage.getItem("borderpost.desk.theme"));
    if (["dark", "light", "sunlight"].includes(chosen)) document.documentElement.dataset.theme = chosen;
  } catch {
    // The browser keeps nothing for us: the system's colours hold.
  }
})();
