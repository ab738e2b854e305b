import { signal } from "@preact/signals";

/** Something that is said in passing. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly isTrouble: boolean;
}

export interface Question {
  readonly title: string;
  readonly text?: string;
  /** What can be answered besides leaving it; the first is the most likely one. */
  readonly answers: readonly { readonly id: string; readonly label: string; readonly isDangerous?: boolean }[];
}

interface Asked extends Question {
  readonly answer: (id: string | null) => void;
}

const SHOWN_FOR = 4000;
const TROUBLE_SHOWN_FOR = 10_000;

/** What the program says in passing, and what it asks before it does something. */
export class Questions {
  readonly notices = signal<readonly Notice[]>([]);
  readonly asked = signal<Asked | null>(null);
  #last = 0;

  tell(text: string, { isTrouble = false } = {}): void {
    const id = ++this.#last;
    const others = this.notices.value.filter((one) => one.text !== text);
    this.notices.value = [...others.slice(-2), { id, text, isTrouble }];
    setTimeout(() => this.drop(id), isTrouble ? TROUBLE_SHOWN_FOR : SHOWN_FOR);
  }

  drop(id: number): void {
    this.notices.value = this.notices.value.filter((one) => one.id !== id);
  }

  /** Nothing is said or asked any more. */
  forget(): void {
    this.notices.value = [];
    this.asked.value?.answer(null);
  }

  /** Which answer was chosen; null: none. */
  choose(question: Question): Promise<string | null> {
    this.asked.value?.answer(null);
    return new Promise((resolve) => {
      const answer = (id: string | null): void => {
        this.asked.value = null;
        resolve(id);
      };
      this.asked.value = { ...question, answer };
    });
  }

  /** Whether to go on with something that cannot be undone. */
  async confirm(title: string, text: string, label: string): Promise<boolean> {
    return (await this.choose({ title, text, answers: [{ id: "yes", label, isDangerous: true }] })) === "yes";
  }
}
