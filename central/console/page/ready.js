/* Ready-made words for an answer. They are neutral, because a traveller may see the officer's screen,
   and only a beginning: whatever is chosen can be edited before it is sent. */

export const READY = {
  confirmed: {
    reasons: ["The issuing State confirms the record.", "Record and document agree in every particular."],
    instructions: [
      "Keep the document and ask the traveller to wait for a colleague.",
      "Refer to the second line. Keep the document.",
    ],
  },
  not_confirmed: {
    reasons: ["The issuing State has withdrawn the record.", "The record is about another document."],
    instructions: [
      "Nothing stands against this document. Continue as usual.",
      "Give the document back and continue as usual.",
    ],
  },
  need_more: {
    reasons: ["The record cannot be told apart from another one.", "The number has to be read once more."],
    instructions: [
      "Please compare the number with the printed page and tell us by telephone.",
      "Please read the document again and ask for a second document.",
    ],
  },
};

export const HOLDS = [
  { hours: 1, text: "1 hour" },
  { hours: 8, text: "8 hours" },
  { hours: 24, text: "1 day" },
  { hours: 168, text: "7 days" },
  { hours: 720, text: "30 days" },
  { hours: 8760, text: "1 year" },
];
