/* Detection as a process. A fault falls at a uniform place between two beats, u of a period P after
 * the last, so with m missed beats for a death
 *
 *     heartbeat      (m - u) P                    mean (m - 1/2) P
 *     health check   (1 - u) P                    mean P / 2    (RSC: 5 min, arXiv 2410.21680)
 *     timeout        T                            NCCL's in PyTorch: 10 min by default
 *
 * and the first of them tells. A process that hangs still beats, so there only the check and the
 * timeout do. Of all faults the share `recall` shows in beats, checks and step times (Minder, NSDI
 * 2025: 0.883); the others wait for the timeout, or for a person. Steps are watched by their
 * length: `threshold` times a healthy one for all of `window` (GREYHOUND: a few steps; Minder: 4
 * min), and what stays below is never seen.
 *
 * Mistakes: the wrong node is evicted and the fault comes back after the restart, again and again
 * until it is found (OPT-175B's cloud returned the same bad machine); healthy nodes go with the bad
 * one (ByteRobust: 6 to 7); a restart fails and is tried again after a backoff that doubles, until
 * a person looks (RSC: a job of 1,024 GPUs was requeued 35 times). False alarms are a class of
 * faults. Left out: what the monitors cost (GREYHOUND: 0.39 %). */
#include "strat_detect.h"

#include "strat_once.h"

#include <math.h>

double strat_detect_s(const StratDetection *detection, const StratSpread *given,
                      const StratFault *fault, bool hangs)
{
    const StratDetection *d = detection;
    double seconds = d->timeout_s > 0.0 ? d->timeout_s : INFINITY;
    if (strat_once_luck(fault, STRAT_DRAW_SEEN) < d->recall) {
        double beat = (double)d->misses - strat_once_luck(fault, STRAT_DRAW_BEAT);
        double check = 1.0 - strat_once_luck(fault, STRAT_DRAW_CHECK);
        if (d->heartbeat_s > 0.0 && !hangs)
            seconds = MIN(seconds, beat * d->heartbeat_s);
        if (d->health_check_s > 0.0)
            seconds = MIN(seconds, check * d->health_check_s);
    }
    if (isfinite(seconds))
        return seconds;
    return strat_spread_draw(given, sim_random_child(&fault->draws, STRAT_DRAW_DETECT));
}

bool strat_detect_sees_slow(const StratDetection *detection, const StratFault *fault, SimTime span)
{
    return detection->slow_threshold > 0.0 && span > sim_time_capped(detection->slow_window_s) &&
           strat_once_luck(fault, STRAT_DRAW_SEEN) < detection->recall;
}

static SimTime backoff(const StratDetection *detection, int64_t attempt)
{
    return attempt == 0 ? 0
                        : sim_time_capped(ldexp(detection->backoff_s, (int)MIN(attempt - 1, 60)));
}

StratRelapse strat_detect_relapse(const StratDetection *detection, const StratFault *fault,
                                  int64_t attempt, bool evicts)
{
    const StratDetection *d = detection;
    if (d->most_restarts > 0 && attempt >= d->most_restarts)
        return (StratRelapse){.wait = strat_once_draw(&d->manual, fault, STRAT_DRAW_MANUAL)};
    StratRelapse relapse = {.wait = backoff(d, attempt)};
    if (strat_once_luck(fault, STRAT_DRAW_CRASH) < d->restart_failure)
        relapse.comes_back = true;
    else if (evicts && strat_once_luck(fault, STRAT_DRAW_WRONG) < d->wrong_node) {
        relapse.comes_back = true;
        relapse.after = strat_once_draw(&d->comes_back, fault, STRAT_DRAW_COMES_BACK);
    }
    return relapse;
}
