// morph makes an element's content equal to some HTML and touches only what differs, so that focus,
// selection and hover stay. Rows with data-key are matched by it.
export function morph(element, html) {
  const wanted = document.createElement(element.nodeName);
  wanted.innerHTML = html; // the server's own markup; data in it is escaped
  children(element, wanted);
}

function children(from, to) {
  const keyed = new Map([...from.children].filter((c) => c.dataset?.key).map((c) => [c.dataset.key, c]));
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const own = next.dataset?.key ? keyed.get(next.dataset.key) : undefined;
    if (own && own !== at) {
      from.insertBefore(own, at);
      node(own, next);
    } else if (at && !(at.dataset?.key && at.dataset.key !== next.dataset?.key) && same(at, next)) {
      const following = at.nextSibling;
      node(at, next);
      at = following;
    } else {
      from.insertBefore(next, at);
    }
  }
  while (at) {
    const following = at.nextSibling;
    at.remove();
    at = following;
  }
}

const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName;

// kept are classes that the keyboard sets, and attributes of what a person has opened.
function node(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  const at = from.classList.contains('at');
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  if (at) from.classList.add('at');
  if (from.matches('input, textarea, select') && from === document.activeElement) return;
  children(from, to);
}
