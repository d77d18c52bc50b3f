/** A part of a thread that has its place in every turn. */
export interface Role {
  /** Does the role's part of a turn; returns whether there may be more: the thread does not sleep then. */
  doWork(): boolean;
}

/** Has each role do its part, in their order; returns whether any may have more to do. */
export function doRoles(roles: readonly Role[]): boolean {
  let worked = false;
  for (let i = 0; i < roles.length; i++) if (roles[i].doWork()) worked = true;
  return worked;
}
