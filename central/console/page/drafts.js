/* Answers that are begun and not yet sent: kept for each alert while the operator looks at another one,
   and over a reload; gone with the tab, with signing out, and when the answer is sent. */

import { recallHere, rememberHere } from "./memory.js";

export class Drafts {
  #user;

  constructor(user) {
    this.#user = user;
  }

  get(key) {
    return recallHere(this.#name(key));
  }

  has(key) {
    return this.get(key) !== null;
  }

  set(key, draft) {
    rememberHere(this.#name(key), draft);
  }

  drop(key) {
    rememberHere(this.#name(key), null);
  }

  #name(key) {
    return `draft.${this.#user}.${key}`;
  }
}
