import { ProtocolError } from "../../errors.ts";
import { PeerError } from "../errors.ts";
import type { FailureReason } from "../events.ts";
import type { Task } from "../records.ts";
import type { Step } from "../step.ts";
import { giveUpRotation, queueRemoved } from "./rotate.ts";

function reasonOf(error: unknown): FailureReason {
  if (!(error instanceof ProtocolError)) return "REFUSED";
  const { type } = error.error;
  return type === "AUTH" || type === "QUOTA" ? "NOT_AVAILABLE" : "REFUSED";
}

/** The relay will not do what a task needs. The task is off the list already. */
export function taskFailed(step: Step, task: Task, error: unknown): void {
  const detail = error instanceof Error ? error.message : String(error);
  switch (task.type) {
    case "secureSend":
    case "createReply":
    case "createOwn":
    case "confirm":
    case "hello":
      step.fail({ type: "failed", reason: reasonOf(error), detail });
      return;
    case "request":
      // Who has answered has the request, whatever the relay says of it when it is sent again.
      if (step.connection.confirmation) return;
      step.fail({ type: "failed", reason: reasonOf(error), detail });
      return;
    case "secureReceive": {
      const queue = step.connection.receive.find(({ id }) => id === task.queue);
      if (queue?.replaces === null) step.fail({ type: "failed", reason: reasonOf(error), detail });
      else if (queue) giveUpRotation(step, queue.replaces, detail);
      return;
    }
    case "rotate":
      giveUpRotation(step, task.replaces, detail);
      return;
    case "use":
      step.faults.push(new PeerError("A_QUEUE", `the peer could not be told to use the new queue: ${detail}`));
      return;
    case "remove":
      // A relay that does not know the queue has nothing to remove.
      queueRemoved(step, task.queue);
      return;
  }
}
