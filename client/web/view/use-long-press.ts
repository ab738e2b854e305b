import type { TargetedTouchEvent } from "preact";
import { useRef } from "preact/hooks";

const LONG = 450;

interface Handlers {
  readonly onTouchStart: (event: TargetedTouchEvent<HTMLElement>) => void;
  readonly onTouchMove: () => void;
  readonly onTouchEnd: () => void;
  readonly onTouchCancel: () => void;
}

/** A finger that stays where it is, where browsers make no context menu of it. */
export function useLongPress(open: (target: Element) => void): Handlers {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const end = (): void => clearTimeout(timer.current);
  return {
    onTouchStart: ({ touches, currentTarget }) => {
      end();
      if (touches.length === 1) timer.current = setTimeout(() => open(currentTarget), LONG);
    },
    onTouchMove: end,
    onTouchEnd: end,
    onTouchCancel: end,
  };
}
