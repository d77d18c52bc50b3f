/** Writes a line of one level: a text, or fields and a text. */
export interface LogMethod {
  (fields: object, text?: string): void;
  (text: string): void;
}

/** Where a broker logs to. A logger of pino is one; so is any object with these methods. */
export interface Logger {
  readonly fatal: LogMethod;
  readonly error: LogMethod;
  readonly warn: LogMethod;
  readonly info: LogMethod;
  readonly debug: LogMethod;
}

/** A logger whose level can be changed. */
export interface LevelledLogger extends Logger {
  level: string;
  /** Logs a line of what connections and the broker say to each other, whatever the level. */
  protocol(line: string): void;
  /** Opens the file that it writes to anew, by its name; null where there is none. */
  readonly reopen: (() => void) | null;
}
