// Explorers without a kernel: the states are drawn beforehand (mpas_lite/course/static.py); this chooses one.
"use strict";

for (const explorer of document.querySelectorAll(".static-explorer")) {
  const { together, labels, states } = JSON.parse(explorer.querySelector("script").textContent);
  const controls = [...explorer.querySelectorAll("input, select")];
  const line = explorer.querySelector(".static-line");
  const picture = explorer.querySelector("img");

  const show = (moved) => {
    if (!together) {
      for (const other of controls) if (other !== moved) other.value = other.dataset.first;
    }
    controls.forEach((control, n) => {
      const label = labels[n][control.value];
      if (control.type === "range") {
        control.setAttribute("aria-valuetext", label);
        control.nextElementSibling.textContent = label;
      }
    });
    const state = states[controls.map((control) => control.value).join("-")];
    picture.src = state.picture;
    picture.alt = state.alt;
    line.innerHTML = state.line;
  };

  for (const control of controls) control.addEventListener("input", () => show(control));

  // The other pictures are fetched when the reader comes near, so that a slider answers at once.
  const fetchAll = () => {
    for (const address of new Set(Object.values(states).map((state) => state.picture))) new Image().src = address;
  };
  explorer.addEventListener("pointerenter", fetchAll, { once: true });
  explorer.addEventListener("focusin", fetchAll, { once: true });
}
