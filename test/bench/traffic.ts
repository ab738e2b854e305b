import { SmpClient } from "../../client/smp/client.ts";
import type { SocketLike } from "../../client/transport/socket.ts";

/** What an agent and its relays said to each other. */
export interface Traffic {
  /** Tags of the commands, in their order. Each has one answer. */
  readonly commands: readonly string[];
  readonly blocksSent: number;
  readonly blocksReceived: number;
}

let commands: string[] = [];
let blocksSent = 0;
let blocksReceived = 0;
let unanswered = 0;
let acknowledged = 0;
let lastAt = 0;

/** Counts the commands of all clients of this process. */
export function watchCommands(): void {
  const { request } = SmpClient.prototype;
  SmpClient.prototype.request = async function counted(this: SmpClient, command, options) {
    commands.push(command.tag);
    unanswered++;
    try {
      const answer = await request.call(this, command, options);
      if (command.tag === "ACK" && answer.tag !== "ERR") acknowledged++;
      return answer;
    } finally {
      unanswered--;
      lastAt = performance.now();
    }
  };
}

/** The platform's socket, with its blocks counted. */
export function openCounted(url: string): SocketLike {
  const socket = new WebSocket(url) as unknown as SocketLike;
  socket.addEventListener("message", () => void blocksReceived++);
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    blocksSent++;
    send(data);
  };
  return socket;
}

/** Milliseconds since the last answer; 0 while one is missing. */
export function quietFor(): number {
  return unanswered > 0 ? 0 : performance.now() - lastAt;
}

/** Messages that the relays have deleted because they were acknowledged. */
export function acknowledgedCount(): number {
  return acknowledged;
}

/** What there was since the last time. */
export function takeTraffic(): Traffic {
  const taken = { commands, blocksSent, blocksReceived };
  commands = [];
  blocksSent = 0;
  blocksReceived = 0;
  return taken;
}
