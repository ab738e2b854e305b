import type { ComponentChildren, VNode } from "preact";

interface WebLinkProps {
  readonly href: string;
  readonly class?: string;
  readonly children?: ComponentChildren;
}

/** Leads out of the page; where it leads is not told who sent one there. */
export function WebLink({ href, class: style = "", children }: WebLinkProps): VNode {
  return (
    <a href={href} class={style} target="_blank" rel="noopener noreferrer nofollow" referrerpolicy="no-referrer">
      {children}
    </a>
  );
}
