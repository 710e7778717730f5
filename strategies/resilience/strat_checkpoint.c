/* Intervals between checkpoints in closed form (Young, CACM 17(9) 1974; Daly, FGCS 22(3) 2006).
 * With d the blocking time of a checkpoint, M the mean time between failures, R that of a recovery
 * and tau the work between two checkpoints:
 *
 *     Young    tau = sqrt(2 d M)
 *     Daly     tau = sqrt(2 d M) (1 + sqrt(d / 2M) / 3 + d / 18M) - d    for d < 2M, else M
 *     exact    productive share = tau / (M e^(R/M) (e^((tau + d)/M) - 1))
 *
 * All three take failures as exponential and as striking one job as a whole; the last one lets them
 * strike during recoveries as well, each of which then starts again. */
#include "strat_checkpoint.h"

#include "sim_math.h"

#include <math.h>

double strat_checkpoint_young(double save, double mttf)
{
    return sqrt(2.0 * save * mttf);
}

double strat_checkpoint_daly(double save, double mttf)
{
    if (save >= 2.0 * mttf)
        return mttf;
    double part = save / (2.0 * mttf);
    return sqrt(2.0 * save * mttf) * (1.0 + sqrt(part) / 3.0 + part / 9.0) - save;
}

double strat_checkpoint_exact(double interval, double save, double recovery, double mttf)
{
    return interval /
           (mttf * sim_math_exp(recovery / mttf) * (sim_math_exp((interval + save) / mttf) - 1.0));
}
