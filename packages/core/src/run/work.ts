import type { Control } from '../loop/drive.ts';
import type { Effect, EffectOf } from '../loop/effects.ts';
import type { Run } from './run.ts';
import type { Scope } from './scope.ts';

/** One effect as its interpreter is given it. `control` tells once the effect is no longer wanted. */
export type Work<T extends Effect['type']> = {
  readonly effect: EffectOf<T>;
  readonly scope: Scope;
  readonly run: Run;
  readonly control: Control;
};
