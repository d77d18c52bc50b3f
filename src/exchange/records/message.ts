/** Every message in a record is followed by CR LF, as `MessageView` promises. */
export const lineEndBytes = 2;
