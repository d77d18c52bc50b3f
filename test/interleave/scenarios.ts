import { causality } from './causality.js';
import { fence } from './fence.js';
import { handover } from './handover.js';
import { lanes } from './lanes.js';
import { ringRecords } from './ringRecords.js';
import { roomSignal } from './roomSignal.js';
import type { Scenario } from './scenario.js';
import { wakeByPipe } from './wakeByPipe.js';
import { wakeUp } from './wakeUp.js';

export const scenarios: Readonly<Record<string, Scenario>> = {
  ringRecords,
  roomSignal,
  wakeUp,
  wakeByPipe,
  lanes,
  causality,
  fence,
  handover,
};
