"use strict";
(() => {
  const large = document.getElementById("large"), place = large.querySelector("figure");
  for (const button of document.querySelectorAll(".zoom")) {
    button.addEventListener("click", () => {
      const caption = button.parentElement.querySelector("figcaption");
      place.replaceChildren(button.querySelector("img").cloneNode(), caption.cloneNode(true));
      large.showModal();
    });
  }
  large.querySelector("button").addEventListener("click", () => large.close());
  large.addEventListener("click", event => { if (event.target === large) large.close(); }); // beside the figure

  // paper cannot be unfolded
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
})();
