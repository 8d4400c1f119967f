/* Puts the remembered choice of colours on the page before it is first drawn, so that nobody in a dark
   room is blinded for a moment. A plain script on purpose: modules run too late for that. */
(() => {
  try {
    const chosen = JSON.parse(localStorage.getItem("borderpost.theme"));
    if (chosen === "dark" || chosen === "light") {
      document.documentElement.dataset.theme = chosen;
    }
  } catch {
    // The browser keeps nothing for us: the system's colours hold.
  }
})();
