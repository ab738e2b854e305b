import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fingerprint } from "#crypto/certificate";

/** Whether there is an openssl command here. */
export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** Files of a chain of two certificates that openssl made. */
export interface OpensslChain {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  /** SHA-256 of the CA certificate. */
  readonly fingerprint: Uint8Array;
}

/** A folder of its own in which the openssl command works. */
export class Openssl {
  readonly folder: string = mkdtempSync(join(tmpdir(), "smp-edge-"));
  readonly #servers: ChildProcess[] = [];

  run(...args: readonly string[]): Buffer {
    return execFileSync("openssl", args, { cwd: this.folder, stdio: ["ignore", "pipe", "ignore"] });
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), "utf8");
  }

  /** As the official server makes them: a CA as identity, and a certificate under it. */
  chain(name: string, algorithm: readonly string[]): OpensslChain {
    const [caKey, ca, key, certificate] = ["ca.key", "ca.pem", "key", "pem"].map((end) => `${name}.${end}`) as
      [string, string, string, string];
    const make = (file: string): Buffer => this.run("genpkey", ...algorithm, "-out", file);
    make(caKey);
    const subject = ["-subj", "/CN=SMP server CA/O=SimpleX", "-days", "999999"];
    this.run("req", "-new", "-x509", "-key", caKey, ...subject, "-out", ca);
    make(key);
    this.run("req", "-new", "-key", key, "-subj", "/CN=localhost", "-out", `${name}.csr`);
    const usage = ["keyUsage=digitalSignature,nonRepudiation,keyAgreement", "extendedKeyUsage=serverAuth", ""];
    writeFileSync(this.file(`${name}.ext`), usage.join("\n"));
    this.run("x509", "-req", "-in", `${name}.csr`, "-CA", ca, "-CAkey", caKey, "-CAcreateserial", "-days", "999999",
      "-extfile", `${name}.ext`, "-out", certificate);
    const der = Uint8Array.from(this.run("x509", "-in", ca, "-outform", "DER"));
    return { certificate, key, ca, fingerprint: fingerprint(der) };
  }

  /** `openssl s_server`: its port, and its terminal. */
  async serve(chain: OpensslChain, ...args: readonly string[]): Promise<Terminal> {
    const files = ["-cert", chain.certificate, "-key", chain.key, "-cert_chain", chain.ca];
    const server = spawn("openssl", ["s_server", "-accept", "127.0.0.1:0", ...files, ...args], {
      cwd: this.folder,
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#servers.push(server);
    const terminal = new Terminal(server);
    await terminal.until(/ACCEPT 127\.0\.0\.1:\d+/);
    return terminal;
  }

  async remove(): Promise<void> {
    for (const server of this.#servers) {
      if (server.exitCode !== null || server.signalCode !== null) continue;
      server.kill();
      await once(server, "exit");
    }
    rmSync(this.folder, { recursive: true });
  }
}

/** What a server prints, and where one types. */
export class Terminal {
  readonly #server: ChildProcess;
  text = "";

  constructor(server: ChildProcess) {
    this.#server = server;
    server.stdout?.setEncoding("latin1").on("data", (text: string) => {
      this.text += text;
    });
  }

  get port(): number {
    return Number(/ACCEPT 127\.0\.0\.1:(\d+)/.exec(this.text)?.[1]);
  }

  type(text: string): void {
    this.#server.stdin?.write(text, "latin1");
  }

  async until(pattern: RegExp | ((text: string) => boolean)): Promise<void> {
    const isSo = (): boolean => (pattern instanceof RegExp ? pattern.test(this.text) : pattern(this.text));
    while (!isSo()) await once(this.#server.stdout ?? this.#server, "data");
  }
}
