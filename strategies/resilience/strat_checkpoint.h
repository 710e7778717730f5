/** Intervals between checkpoints in closed form. */
#ifndef STRAT_CHECKPOINT_H
#define STRAT_CHECKPOINT_H

/** All times are of one unit. @save: blocking time of a checkpoint; @mttf: mean time between
 *  failures of the whole job. */

/** Young 1974: the interval that loses least, to first order. */
double strat_checkpoint_young(double save, double mttf);

/** Daly 2006: the same to a higher order; @mttf itself when @save is 2 @mttf or more. */
double strat_checkpoint_daly(double save, double mttf);

/** Productive share of the time with exponential failures, which also strike during recovery
 *  (@recovery each time) and saving: Daly 2006, exact. */
double strat_checkpoint_exact(double interval, double save, double recovery, double mttf);

#endif
