/* Puts the remembered choice of colours, and the direction of the remembered language, on the page
   before it is first drawn: nobody in a dark booth is blinded for a moment, and nothing changes sides.
   A plain script on purpose: modules run too late for that. */
(() => {
  const recall = (name) => JSON.parse(localStorage.getItem(`borderpost.desk.${name}`));
  try {
    const theme = recall("theme");
    if (["dark", "light", "sunlight"].includes(theme)) document.documentElement.dataset.theme = theme;
    if (recall("direction") === "rtl") document.documentElement.dir = "rtl";
  } catch {
    // The browser keeps nothing for us: the system's colours hold.
  }
})();
