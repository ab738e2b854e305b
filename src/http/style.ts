/** The style of every page. Its hash stands in the Content-Security-Policy, so it is the same for all of them. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --card: #fff; --ink: #131922; --soft: #525d6b; --line: #dde2e9;
  --accent: #0a5dc2; --on-accent: #fff; --field: #f5f7fa; --fault: #b3261e;
  --shadow: 0 1px 2px #1319220d, 0 12px 32px -12px #1319221f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0c1017; --card: #141a23; --ink: #e9edf3; --soft: #9ba7b6; --line: #27303d;
    --accent: #7ab5ff; --on-accent: #0a1420; --field: #0e141d; --fault: #ff8f85; --shadow: none;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  min-height: 100vh; display: grid; place-items: center; padding: clamp(1rem, 3vw, 2.25rem);
  background: var(--ground); color: var(--ink); -webkit-text-size-adjust: 100%;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { width: 100%; max-width: 64rem; }
main.note { max-width: 36rem; }
h1 {
  font-size: clamp(1.75rem, 1.3rem + 2vw, 2.5rem); line-height: 1.15; letter-spacing: -.022em; font-weight: 680;
  text-wrap: balance;
}
h2 { font-size: 1.0625rem; line-height: 1.3; font-weight: 650; margin-bottom: .875rem; }
p, li, dd { text-wrap: pretty; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: .18em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: .375rem; }
code { font: .9375em/1.6 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.place {
  display: flex; align-items: center; gap: .625rem; margin-bottom: 1.375rem; font-weight: 600; overflow-wrap: anywhere;
}
.place svg { flex: none; width: 1.75rem; height: 1.75rem; }
.lead { margin-top: .875rem; max-width: 34em; font-size: 1.0625rem; color: var(--soft); }
.card {
  display: grid; gap: 1.75rem; padding: clamp(1.25rem, 4vw, 2.5rem);
  background: var(--card); border: 1px solid var(--line); border-radius: 1.25rem; box-shadow: var(--shadow);
}
.label { display: block; margin: 1.75rem 0 .5rem; font-size: .875rem; font-weight: 600; color: var(--soft); }
.field {
  display: flex; flex-wrap: wrap; border: 1px solid var(--line); border-radius: .75rem; background: var(--field);
}
.field code {
  flex: 1 1 16rem; min-width: 0; padding: .75rem .875rem; overflow-wrap: anywhere;
  -webkit-user-select: all; user-select: all;
}
.field span { color: var(--soft); }
.field b { font-weight: 600; }
button, .open {
  min-height: 2.75rem; padding: 0 1rem; border: 0; border-radius: .5rem; cursor: pointer;
  background: var(--accent); color: var(--on-accent); font: inherit; font-size: .9375rem; font-weight: 600;
}
button { flex: 1 0 7rem; margin: .375rem; }
button:hover, .open:hover { filter: brightness(1.08); }
[hidden] { display: none !important; }
.qr { justify-self: center; width: min(100%, 15.5rem); }
.qr svg {
  display: block; width: 100%; height: auto; background: #fff; border: 1px solid var(--line); border-radius: .875rem;
}
.qr figcaption { margin-top: .625rem; text-align: center; font-size: .875rem; color: var(--soft); }
.card:has(> [hidden]) { grid-template-columns: 1fr; }
.care {
  margin-top: 1.25rem; max-width: 36rem; padding: .75rem 1rem .75rem 1.25rem; border-radius: .75rem;
  border: 1px solid var(--line); box-shadow: inset .25rem 0 var(--accent); background: var(--field); color: var(--soft);
}
.fault { margin: 0 0 1.5rem; box-shadow: inset .25rem 0 var(--fault); }
.open {
  display: inline-flex; align-items: center; justify-content: center; margin-top: 1.5rem; padding: 0 1.5rem;
  text-align: center; text-decoration: none;
}
.ways { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
.ways .open { flex: 1 0 auto; margin-top: 0; }
.also { background: transparent; color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.long { max-height: 15.5rem; overflow-y: auto; }
.forms { display: flex; flex-wrap: wrap; gap: 0 1.5rem; margin: 1rem 0 .25rem; padding: 0; border: 0; }
.forms label { display: inline-flex; align-items: center; gap: .5rem; min-height: 2.75rem; cursor: pointer; }
input { width: 1.125rem; height: 1.125rem; accent-color: var(--accent); }
.too-long { padding: 1.25rem; border: 1px dashed var(--line); border-radius: .875rem; color: var(--soft); }
.more { display: grid; gap: 2rem 3rem; padding: 1.75rem clamp(1.25rem, 4vw, 2.5rem) 0; }
ol { padding: 0; list-style: none; counter-reset: step; display: grid; gap: .75rem; }
li { counter-increment: step; display: grid; grid-template-columns: 1.75rem 1fr; gap: .75rem; }
li::before {
  content: counter(step); width: 1.75rem; height: 1.75rem; border-radius: 50%; border: 1px solid var(--line);
  background: var(--card); color: var(--accent); font-size: .875rem; font-weight: 650; line-height: 1.65rem;
  text-align: center;
}
dl { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.25rem; }
dt { color: var(--soft); }
dd { overflow-wrap: anywhere; }
.hint { margin-top: 1rem; font-size: .9375rem; color: var(--soft); }
footer {
  display: flex; flex-wrap: wrap; gap: .375rem 1.25rem; margin-top: 1.5rem;
  padding: 1.125rem clamp(1.25rem, 4vw, 2.5rem) 0;
  border-top: 1px solid var(--line); font-size: .875rem; color: var(--soft);
}
.note .hint { padding-top: 1rem; border-top: 1px solid var(--line); margin-top: 1.25rem; }
strong { color: var(--ink); }
.unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
@media (min-width: 48rem) {
  .card { grid-template-columns: minmax(0, 1fr) 15.5rem; gap: 3rem; align-items: center; }
  .note .card { grid-template-columns: 1fr; }
  .more { grid-template-columns: minmax(0, 1.3fr) minmax(0, 1fr); }
  .field { flex-wrap: nowrap; align-items: center; }
  button { flex: none; width: 6.5rem; }
}
@media (forced-colors: active) { button, .open { border: 1px solid; } }
`;
