// What the console needs of a telephone in the browser, whatever library speaks SIP behind it.

/** What the telephone registers with (POST /phone/credentials). */
export interface Credentials {
  websocket: string;
  uri: string;
  name: string;
  user: string;
  realm: string;
  ha1: string;
  /** Seconds; 0: it does not register, and is only there to call. */
  expires: number;
}

/** By what another page finds a call again, to take its place (RFC 3891). */
export interface DialogID { call: string; ours: string; theirs: string }

/** A call of the telephone's. */
export interface Line {
  readonly incoming: boolean;
  /** Known once the call is answered. */
  dialog(): DialogID | undefined;
  /** Answers a call that rings, with the microphone. */
  answer(microphone: MediaStream): void;
  /** Ends it: refuses what rings, hangs up otherwise. */
  end(): void;
  mute(on: boolean): void;
  /** Has other sound sent from now on; the call itself is not touched. */
  replace(microphone: MediaStream): void;
  /** Sends a key as telephone-event (RFC 4733). */
  key(digit: string): void;
}

/** What a telephone tells. */
export interface Events {
  /** It is registered, or no longer; of one that does not register: it is connected. */
  registered(on: boolean): void;
  /** The server does not take what it registers with: other credentials are needed. */
  refused(): void;
  rings(line: Line): void;
  answered(line: Line): void;
  /** The far end is heard. */
  sounds(line: Line, sound: MediaStream): void;
  /** It is answered, and no way was found for its sound. */
  unheard?(line: Line): void;
  /** Nobody answered a call that was made; the status is SIP's. */
  unreached?(line: Line, status: number): void;
  ended(line: Line): void;
}

export interface Phone {
  start(): void;
  /** Registers with other credentials; calls go on. */
  renew(c: Credentials): void;
  /** Registers anew, so that the server knows that it is there; where the connection is gone, connects at once. */
  refresh(): void;
  /** Opens another connection and registers by it: the network is another one. Calls go on. */
  reconnect(): void;
  /** Calls a number, or takes the place of a call that another page had. */
  call(number: string, microphone: MediaStream, place?: DialogID): Line;
  /** Is gone at once, as where its machine is: what rings is taken back, and nobody counts it as missed. */
  vanish(): void;
  /** Hangs up and signs off. */
  stop(): void;
}

/** Makes the telephone; from a chunk of its own, which is loaded after the desk is shown. */
export type Make = (c: Credentials, on: Events) => Phone;
