import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { byteSize } from "../../state/dates.ts";
import { words } from "../../words/words.ts";
import { useApp } from "../app-context.ts";
import { RowButton } from "../controls.tsx";
import { Group } from "../page.tsx";

const { settings: said } = words;

interface Room {
  readonly used: number;
  readonly isKept: boolean;
}

/** What is stored here, and how to be rid of it. */
export function Data(): VNode {
  const app = useApp();
  const [room, setRoom] = useState<Room | null>(null);
  useEffect(() => {
    void app.attempt(async () => {
      const [{ usage = 0 }, isKept] = await Promise.all([navigator.storage.estimate(), navigator.storage.persisted()]);
      setRoom({ used: usage, isKept });
    });
  }, []);
  return (
    <>
      <p class="lead">{said.dataLead}</p>
      {room && (
        <Group note={room.isKept ? said.dataKept : said.dataNotKept}>
          <dl class="facts"><dt>{said.dataUsed}</dt><dd>{byteSize(room.used)}</dd></dl>
        </Group>
      )}
      <p class="hint">{said.archive}</p>
      <Group><RowButton icon="trash" label={said.deleteAll} isDangerous onClick={() => app.erase()} /></Group>
    </>
  );
}
