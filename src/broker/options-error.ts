/** An option that cannot be used. Its message is one line: where the value came from, what was wrong, what is allowed. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}
