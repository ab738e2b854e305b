import { readFileSync, writeFileSync } from "node:fs";
import { Openssl } from "./openssl.ts";

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/** A certificate authority that exists for one test, and a certificate under it for this machine. */
export class Authority {
  readonly #openssl = new Openssl();
  /** File of the CA's certificate: what `NODE_EXTRA_CA_CERTS` of a relay's process names. */
  readonly file: string;
  /** PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;

  /** `names`: as `subjectAltName` has them. */
  constructor(names = "DNS:localhost,IP:127.0.0.1,IP:::1") {
    const openssl = this.#openssl;
    const plain = ["-nodes", "-days", "2"];
    const ca = ["-addext", "keyUsage=critical,keyCertSign", "-subj", "/CN=authority of a test"];
    openssl.run("req", "-x509", ...CURVE, ...plain, ...ca, "-keyout", "ca.key", "-out", "ca.pem");
    openssl.run("req", ...CURVE, "-nodes", "-subj", "/CN=localhost", "-keyout", "web.key", "-out", "web.csr");
    writeFileSync(openssl.file("web.ext"), `subjectAltName=${names}\n`);
    const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "web.ext"];
    openssl.run("x509", "-req", "-in", "web.csr", ...signed, "-out", "web.pem");
    this.file = openssl.file("ca.pem");
    const read = (name: string): string => readFileSync(openssl.file(name), "utf8");
    [this.ca, this.cert, this.key] = [read("ca.pem"), read("web.pem"), read("web.key")];
  }

  remove(): Promise<void> {
    return this.#openssl.remove();
  }
}
