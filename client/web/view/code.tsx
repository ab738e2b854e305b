import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { SecurityCode } from "../../chat/contacts.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button, Field } from "./controls.tsx";
import { Icon } from "./icon.tsx";
import { Page } from "./page.tsx";
import { QrCode } from "./qr-code.tsx";
import { Scanner } from "./scanner.tsx";

const { people: said } = words;

/** Comparing the code of the encryption with the contact. */
export function CodePage(): VNode | null {
  const app = useApp();
  const talk = app.talk.value;
  const line = talk?.line.value;
  const [code, setCode] = useState<SecurityCode | null>(null);
  const [shown, setShown] = useState("");
  const [isScanning, scan] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const id = line?.contact?.id;
  const verified = line?.contact?.verified ?? null;
  useEffect(() => {
    if (id !== undefined) void app.attempt(async () => setCode(await app.chat.contacts.securityCode(id)));
  }, [id, verified]);
  if (!line || id === undefined) return null;
  const compare = (theirs: string): Promise<boolean> => app.attempt(async () => {
    const isSame = await app.chat.contacts.verify(id, theirs);
    setTrouble(isSame ? null : said.codeDiffers);
  });
  return (
    <Page title={said.code}>
      <p class="lead">{said.codeLead(line.name)}</p>
      {code && (
        <>
          {code.isVerified && (
            <p class="note good" role="status"><Icon name="shieldCheck" /> {said.verifiedWith(line.name)}</p>
          )}
          <QrCode text={code.code} label={said.codeQr} />
          <p class="mono code" aria-label={said.code}>{code.code}</p>
          {trouble !== null && <p class="trouble" role="alert">{trouble}</p>}
          {code.isVerified
            ? <Button onClick={() => app.attempt(() => app.chat.contacts.unverify(id))}>{said.unverify}</Button>
            : (
              <>
                <div class="answers">
                  <Button kind="main" icon="camera" onClick={() => scan(true)}>{said.scanCode}</Button>
                  <Button icon="check" onClick={() => compare(code.code)}>{said.codeSame}</Button>
                </div>
                <form class="in-line" onSubmit={(event) => {
                  event.preventDefault();
                  void compare(shown);
                }}>
                  <Field label={said.theirCode} value={shown} onInput={setShown} />
                  <Button type="submit" disabled={shown.trim() === ""}>{said.compare}</Button>
                </form>
              </>
            )}
          {isScanning && <Scanner onClose={() => scan(false)} onFound={(text) => {
            scan(false);
            void compare(text);
          }} />}
        </>
      )}
    </Page>
  );
}
