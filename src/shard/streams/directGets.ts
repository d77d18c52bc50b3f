import type { ApiRequest } from './apiRequest.js';
import type { ApiService } from './apiService.js';
import type { StreamSite } from './streamEndpoints.js';

/** Answers direct gets: messages as they are stored, not as JSON. */
export class DirectGets {
  readonly #site: StreamSite;
  readonly #api: ApiService;

  constructor(site: StreamSite, api: ApiService) {
    this.#site = site;
    this.#api = api;
  }

  open(): void {
    const handle = (request: ApiRequest): void => void this.#answer(request);
    this.#api.openRaw('DIRECT.GET.*', 2, handle);
    this.#api.openRaw('DIRECT.GET.*.>', 2, handle);
    this.#api.openRaw('CONSUMER.MSG.NEXT.*.*', 3, (request) => this.#api.sayNobody(request));
  }

  async #answer(request: ApiRequest): Promise<void> {
    const stream = await this.#site.streams.find(request.name);
    if (stream === null || !stream.config.allow_direct) this.#api.sayNobody(request);
  }
}
