import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { explain, needsPassphrase } from "../../state/trouble.ts";
import { words } from "../../words/words.ts";
import { useApp } from "../app-context.ts";
import { Button, Field } from "../controls.tsx";

const { settings: said } = words;

/** Sealing what is stored, and taking the seal off again. */
export function PassphraseSettings(): VNode {
  const app = useApp();
  const [isSet, setIsSet] = useState<boolean | null>(null);
  const look = (): Promise<boolean> => app.attempt(async () => setIsSet(await app.session.passphrase.isSet()));
  useEffect(() => void look(), []);
  if (isSet === null) return <p class="soft" role="status">{words.loading}</p>;
  return (
    <>
      <p class="lead">{isSet ? said.passphraseIsSet : said.passphraseLead}</p>
      <PassphraseForm key={String(isSet)} isSet={isSet} onDone={look} />
      <p class="hint">{words.locked.forgotten}</p>
    </>
  );
}

interface PassphraseFormProps {
  readonly isSet: boolean;
  readonly onDone: () => Promise<unknown>;
}

function PassphraseForm({ isSet, onDone }: PassphraseFormProps): VNode {
  const app = useApp();
  const [now, setNow] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
  const attempt = async (action: () => Promise<void>): Promise<void> => {
    setTrouble(null);
    try {
      await action();
      app.questions.tell(words.saved);
      setNow("");
      setNext("");
      setAgain("");
      await onDone();
    } catch (error) {
      setTrouble(needsPassphrase(error) ? words.locked.wrong : explain(error));
    }
  };
  const { passphrase } = app.session;
  const isDifferent = again !== "" && next !== again;
  const hasSpace = next !== next.trim();
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      void attempt(() => (isSet ? passphrase.change(now, next) : passphrase.set(next)));
    }}>
      {isSet && (
        <Field
          label={said.passphraseNow}
          type="password"
          value={now}
          onInput={setNow}
          trouble={trouble}
          autoComplete="current-password"
        />
      )}
      <Field
        label={said.passphraseNew}
        type="password"
        value={next}
        hint={hasSpace ? said.passphraseSpace : said.passphraseHint}
        trouble={isSet ? null : trouble}
        onInput={setNext}
        autoComplete="new-password"
      />
      <Field
        label={said.passphraseAgain}
        type="password"
        value={again}
        trouble={isDifferent ? said.passphraseDiffers : null}
        onInput={setAgain}
        autoComplete="new-password"
      />
      <div class="answers">
        <Button type="submit" kind="main" disabled={next === "" || next !== again || (isSet && now === "")}>
          {isSet ? said.passphraseChange : said.passphraseSet}
        </Button>
        {isSet && (
          <Button kind="danger" disabled={now === ""} onClick={() => attempt(() => passphrase.remove(now))}>
            {said.passphraseRemove}
          </Button>
        )}
      </div>
    </form>
  );
}
