/** Who a client says it is. */
export interface Claim {
  readonly user: string | null;
  readonly name: string;
}

/** How far one connection has come in saying who it is. `Logins` alone changes it, but for the first PONG. */
export class Login {
  #authenticated = false;
  #verifying = false;
  #connected = false;
  #firstPongSent = false;
  #refused: Claim | null = null;

  /** Who it said to be, when that was not believed. */
  get refused(): Claim | null {
    return this.#refused;
  }

  /** Whether a CONNECT of it was right. */
  get connected(): boolean {
    return this.#connected;
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** Whether its credentials are being verified. */
  get verifying(): boolean {
    return this.#verifying;
  }

  /** Whether it has had the PONG behind which INFO may come at any time. */
  get firstPongSent(): boolean {
    return this.#firstPongSent;
  }

  /** It may do what it asks for. */
  admit(): void {
    this.#authenticated = true;
  }

  /** A CONNECT of it was right; returns whether that is the first one. */
  onConnected(): boolean {
    const isFirst = !this.#connected;
    this.#authenticated = true;
    this.#connected = true;
    return isFirst;
  }

  onRefused({ user, name }: Claim): void {
    this.#refused = { user, name };
  }

  beginVerifying(): void {
    this.#verifying = true;
  }

  endVerifying(): void {
    this.#verifying = false;
  }

  /** It is sent a PONG; returns whether that is the first behind a CONNECT. */
  onPong(): boolean {
    if (this.#firstPongSent || !this.#connected) return false;
    this.#firstPongSent = true;
    return true;
  }
}
