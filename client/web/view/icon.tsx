import type { VNode } from "preact";

/** Strokes on a field of 24 by 24. */
const PATHS = {
  back: "M19 12H5m6-7-7 7 7 7",
  plus: "M12 5v14M5 12h14",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4.5 4.5",
  close: "m6 6 12 12M18 6 6 18",
  send: "M4.5 12 3 4.5 21 12 3 19.5 4.5 12Zm0 0H12",
  clip: "m20 11.5-8.3 8.3a5 5 0 0 1-7.1-7.1l8.6-8.6a3.4 3.4 0 0 1 4.8 4.8l-8.6 8.6a1.7 1.7 0 0 1-2.4-2.4l7.9-7.9",
  mic: "M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15Zm-7-3.5a7 7 0 0 0 14 0M12 18.5V22",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm-4-7c.8 1.6 2.2 2.5 4 2.5s3.2-.9 4-2.5M9 9.5v.5M15 9.5v.5",
  more: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  check: "m4.5 12.5 5 5 10-11",
  twice: "m1.5 12.5 5 5 10-11M11 16l1.5 1.5 10-11",
  down: "M12 5v14m-6-6 6 6 6-6",
  reply: "m9 6-5 5 5 5m-5-5h9a7 7 0 0 1 7 7v1",
  pencil: "m4 20 1-4L16.5 4.5l3 3L8 19l-4 1Z",
  trash: "M4.5 7h15M9.5 7V4h5v3m-8 0 1 13h9l1-13M10.5 11v5.5m3-5.5v5.5",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  share: "M12 15V3m-4 4 4-4 4 4M5 12v8h14v-8",
  forward: "m15 6 5 5-5 5m5-5h-9a7 7 0 0 0-7 7v1",
  star: "m12 3.5 2.6 5.4 5.9.8-4.3 4.1 1.1 5.9L12 16.9l-5.3 2.8 1.1-5.9-4.3-4.1 5.9-.8L12 3.5Z",
  mute: "M5 9v6h3.5L13 19V5L8.5 9H5Zm12 .5 4 5m0-5-4 5",
  sound: "M5 9v6h3.5L13 19V5L8.5 9H5Zm11.5-.5a5 5 0 0 1 0 7M19 6a8.5 8.5 0 0 1 0 12",
  block: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM5.7 5.7l12.6 12.6",
  people: "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.5m2 3.2a6.5 6.5 0 0 1 3.5 5.5",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7.5 8.5a7.5 7.5 0 0 1 15 0",
  qr: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2.5v2.5M20 14v.01M20 17.5V20h-3.5M14 20v.01",
  camera: "M4 8h3.5L9 5.5h6L16.5 8H20v11H4V8Zm8 8.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7L12 7m2 3a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.7L12 17",
  shield: "M12 3 5 5.5V11c0 4.5 2.8 8 7 10 4.2-2 7-5.5 7-10V5.5L12 3Z",
  shieldCheck: "M12 3 5 5.5V11c0 4.5 2.8 8 7 10 4.2-2 7-5.5 7-10V5.5L12 3Zm-3.5 9 2.5 2.5 4.5-5",
  gear: "M12 15.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Zm7.8-1.7 1.7 1.3-2 3.4-2-.8a7.7 7.7 0 0 1-2.3 1.3l-.3 2.1H11l-.4-2.1a7.7 7.7 0 0 1-2.2-1.3l-2 .8-2-3.4 1.7-1.3a7.6 7.6 0 0 1 0-2.7L4.4 9.5l2-3.4 2 .8a7.7 7.7 0 0 1 2.2-1.3L11 3.5h4l.4 2.1a7.7 7.7 0 0 1 2.2 1.3l2-.8 2 3.4-1.8 1.3a7.6 7.6 0 0 1 0 2.7Z",
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15L6 16.5ZM10 20.5a2.2 2.2 0 0 0 4 0",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  keyboard: "M3 6.5h18v11H3zM7 10v.01M11 10v.01M15 10v.01M17.5 10v.01M7 14v.01M10 14h5M17.5 14v.01",
  key: "M14.5 13a4.5 4.5 0 1 0-4.3-3.2L3.5 16.5v4h4v-2.5H10V15.5l1.5-1.5M16 7.5v.01",
  server: "M4 5h16v6H4zM4 13h16v6H4zM7.5 8v.01M7.5 16v.01",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-10v5.5M12 7.5v.01",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5.5l3.5 2",
  timer: "M12 21a8 8 0 1 0 0-16 8 8 0 0 0 0 16Zm0-12v4l2.5 1.5M9.5 2.5h5",
  play: "M7 4.5v15l12.5-7.5L7 4.5Z",
  pause: "M7.5 5v14M16.5 5v14",
  stop: "M6 6h12v12H6z",
  file: "M6 3h8l4.5 4.5V21H6V3Zm8 0v5h4.5",
  picture: "M4 5h16v14H4zm0 11 4.5-4.5L13 16l2.5-2.5L20 18M15 9.5v.01",
  save: "M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 19.5h14",
  home: "M4 11.5 12 4l8 7.5V20h-5.5v-5.5h-5V20H4v-8.5Z",
  door: "M14 4H5v16h9M10 12h11m-4-4 4 4-4 4",
  bookmark: "M6.5 3.5h11V21L12 16.5 6.5 21V3.5Z",
  mask: "M3 8c3 1.5 5.5 1.5 9 0 3.5 1.5 6 1.5 9 0 0 5-1.5 9-4.5 9-2 0-2.5-2-4.5-2s-2.5 2-4.5 2C4.5 17 3 13 3 8Zm4 3.5c1-.8 2-.8 3 0m4 0c1-.8 2-.8 3 0",
  warning: "M12 4 2.5 20h19L12 4Zm0 6v5m0 2.5v.01",
  lock: "M6 11h12v9.5H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  globe: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c3 2.5 4 5.5 4 9s-1 6.5-4 9c-3-2.5-4-5.5-4-9s1-6.5 4-9Z",
} as const;

export type IconName = keyof typeof PATHS;

/** A sign beside a label, or on a button that has one. */
export function Icon({ name, class: style = "" }: { readonly name: IconName; readonly class?: string }): VNode {
  return (
    <svg class={`icon ${style}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of the product. */
export function Mark(): VNode {
  return (
    <svg class="mark" viewBox="0 0 28 28" aria-hidden="true" focusable="false">
      <rect width="28" height="28" rx="8" />
      <path d="M6 10.5h13m0 0-3.5-3.5M19 10.5 15.5 14M22 17.5H9m0 0 3.5-3.5M9 17.5l3.5 3.5" />
    </svg>
  );
}
