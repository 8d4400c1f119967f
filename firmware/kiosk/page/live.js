/* What the camera sees, on request, to lay a document down where it can be read. Nothing of it is
   kept; the stream ends with the sheet. */

import { el } from "./dom.js";
import { Sheet } from "./sheet.js";
import { t } from "./words.js";

/** Opens the sheet. */
export function showLive() {
  const picture = el("img", {
    class: "live",
    src: `/kiosk/live?${Date.now()}`,
    alt: t("What the camera sees"),
  });
  const sheet = new Sheet(t("What the camera sees"), {
    name: "seeing",
    onClose: () => picture.removeAttribute("src"),
  });
  picture.addEventListener("error", () =>
    sheet.tell(t("There is no picture: no camera is connected, or it does not answer.")),
  );
  sheet.body.append(
    picture,
    el("p", { class: "soft" }, t("The frame shows where an MRZ is found. Nothing of this picture is kept.")),
  );
  sheet.open();
}
