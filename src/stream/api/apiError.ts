import type { JsonObject } from './json.js';

/** What a request, or a publish, is answered with that failed, as NATS numbers and words it. */
export class ApiError extends Error {
  readonly code: number;
  readonly errCode: number;

  constructor(code: number, errCode: number, description: string) {
    super(description);
    this.code = code;
    this.errCode = errCode;
  }

  toJson(): JsonObject {
    return { code: this.code, err_code: this.errCode, description: this.message };
  }
}

/** A configuration that is not allowed. */
export const invalidConfig = (description: string): ApiError => new ApiError(500, 10052, description);
export const invalidJson = (description: string): ApiError => new ApiError(400, 10025, `invalid JSON: ${description}`);

export const apiErrors = {
  badRequest: new ApiError(400, 10003, 'bad request'),
  notEmptyRequest: new ApiError(400, 10038, 'expected an empty request payload'),
  apiLevel: new ApiError(412, 10185, 'JetStream minimum api level required'),
  streamNotFound: new ApiError(404, 10059, 'stream not found'),
  streamNameInUse: new ApiError(400, 10058, 'stream name already in use with a different configuration'),
  nameMismatch: new ApiError(400, 10056, 'stream name in subject does not match request'),
  pathSeparators: new ApiError(400, 10128, 'Stream name can not contain path separators'),
  subjectsOverlap: new ApiError(400, 10065, 'subjects overlap with an existing stream'),
  negativeReplicas: new ApiError(400, 10133, 'replicas count cannot be negative'),
  replicas: new ApiError(500, 10074, 'replicas > 1 not supported in non-clustered mode'),
  noMessage: new ApiError(404, 10037, 'no message found'),
  sealed: new ApiError(400, 10109, 'invalid operation on sealed stream'),
  purgeDenied: new ApiError(500, 10110, 'stream purge not permitted'),
  deleteDenied: new ApiError(500, 10057, 'message delete not permitted'),
  consumerNotFound: new ApiError(404, 10014, 'consumer not found'),
  notClustered: new ApiError(503, 10010, 'JetStream clustering support required'),
  insufficientMemory: new ApiError(500, 10028, 'insufficient memory resources available'),
  insufficientResources: new ApiError(503, 10023, 'insufficient resources'),
} as const;
