/* Arrival processes.
 *
 *   all at once    0, 0, 0, ...
 *   constant       i / rate, the first at 0
 *   poisson        exponential gaps of mean 1 / rate
 *   gamma          gaps of shape k = 1 / cv^2 and mean 1 / rate (Marsaglia and Tsang 2000; below
 *                  shape 1 by that of k + 1 times u^(1/k))
 *   weibull        gaps of scale (-ln u)^(1/k), the shape k from cv:
 *                  G(1 + 2/k) / G(1 + 1/k)^2 = 1 + cv^2, found by halving
 *   on-off         Poisson at one of two rates; the periods are exponential (a Markov-modulated
 *                  process, Fischer and Meier-Hellstern 1993), started as a passer-by would find
 *                  it: on with chance on / (on + off)
 *   diurnal        Poisson at rate f(time of day) by thinning (Lewis and Shedler 1979): candidates
 *                  at the highest rate, each kept with chance f / highest f
 *   closed loop    one arrival at 0 for each user; what follows is up to the answers
 *
 * Random processes start at 0 and have their first arrival after a first gap. The cosine of a
 * sinusoidal day is the C library's: its last bit decides only on candidates that are within 1e-16
 * of being kept or not. */
#include "strat_traffic_arrivals.h"

#include "sim_math.h"

#include <glib.h>
#include <math.h>

static double at_once(StratArrivalClock *clock)
{
    (void)clock;
    return 0.0;
}

static double constant(StratArrivalClock *clock)
{
    return (double)clock->count / clock->process->rate_per_s;
}

static double poisson(StratArrivalClock *clock)
{
    return clock->now_s + sim_random_exponential(&clock->gaps, 1.0 / clock->process->rate_per_s);
}

/* A gamma variable of scale 1. */
static double draw_gamma(SimRandom *stream, double shape)
{
    double raised = shape < 1.0 ? shape + 1.0 : shape;
    double d = raised - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        double z = sim_random_normal(stream, 0.0, 1.0);
        double v = 1.0 + c * z;
        double e = sim_random_exponential(stream, 1.0); /* -ln u */
        v = v * v * v;
        if (v <= 0.0 || -e >= 0.5 * z * z + d - d * v + d * sim_math_log(v))
            continue;
        if (shape >= 1.0)
            return d * v;
        return d * v * sim_math_exp(-sim_random_exponential(stream, 1.0) / shape);
    }
}

static double gamma_gaps(StratArrivalClock *clock)
{
    return clock->now_s + clock->scale * draw_gamma(&clock->gaps, clock->shape);
}

static double weibull(StratArrivalClock *clock)
{
    double e = sim_random_exponential(&clock->gaps, 1.0);
    double power = e > 0.0 ? sim_math_exp(sim_math_log(e) / clock->shape) : 0.0;
    return clock->now_s + clock->scale * power;
}

static double on_off(StratArrivalClock *clock)
{
    const StratArrivals *process = clock->process;
    double whole = (process->on_s + process->off_s) / process->on_s;
    double factor = process->on_factor > 0.0 ? process->on_factor : whole;
    double on_rate = factor * process->rate_per_s;
    double off_rate = (whole - factor) * process->rate_per_s * process->on_s / process->off_s;
    for (double now = clock->now_s;;) {
        double rate = clock->on ? on_rate : off_rate;
        double next =
            rate > 0.0 ? now + sim_random_exponential(&clock->gaps, 1.0 / rate) : INFINITY;
        if (next <= clock->state_ends_s)
            return next;
        now = clock->state_ends_s; /* gaps have no memory: draw again in the other state */
        clock->on = !clock->on;
        double length = clock->on ? process->on_s : process->off_s;
        clock->state_ends_s += sim_random_exponential(&clock->states, length);
    }
}

static double diurnal(StratArrivalClock *clock)
{
    const StratArrivals *process = clock->process;
    double candidates = clock->highest * process->rate_per_s;
    for (double at = clock->now_s;;) {
        at += sim_random_exponential(&clock->gaps, 1.0 / candidates);
        double of_day = fmod(process->start_s + at, process->period_s) / process->period_s;
        double peak = process->peak_s / process->period_s;
        double factor = process->hourly
                            ? process->hourly[(int)(of_day * STRAT_ARRIVALS_HOURS)] / clock->average
                            : 1.0 + process->amplitude * cos(2.0 * G_PI * (of_day - peak));
        if (sim_random_uniform(&clock->states) * clock->highest < factor)
            return at;
    }
}

static double closed_loop(StratArrivalClock *clock)
{
    return clock->count < clock->process->concurrency ? 0.0 : INFINITY;
}

/* Shape of a Weibull variable with coefficient of variation @cv, which falls as the shape grows. */
static double weibull_shape(double cv)
{
    double low = 0.05, high = 100.0; /* of cv 1.4e5 and 0.013 */
    for (int i = 0; i < 60; i++) {
        double k = 0.5 * (low + high);
        double ratio = sim_math_log_gamma(1.0 + 2.0 / k) - 2.0 * sim_math_log_gamma(1.0 + 1.0 / k);
        if (ratio > sim_math_log(1.0 + cv * cv))
            low = k;
        else
            high = k;
    }
    return 0.5 * (low + high);
}

StratArrivalClock strat_arrivals_start(const StratArrivals *process, uint64_t seed)
{
    StratArrivalClock clock = {.process = process,
                               .gaps = sim_random_stream(seed, "arrivals"),
                               .states = sim_random_stream(seed, "arrivals/states"),
                               .highest = 1.0 + process->amplitude};
    if (process->kind == STRAT_ARRIVALS_GAMMA) {
        clock.shape = 1.0 / (process->cv * process->cv);
        clock.scale = 1.0 / (clock.shape * process->rate_per_s);
    } else if (process->kind == STRAT_ARRIVALS_WEIBULL) {
        clock.shape = weibull_shape(process->cv);
        clock.scale =
            sim_math_exp(-sim_math_log_gamma(1.0 + 1.0 / clock.shape)) / process->rate_per_s;
    } else if (process->kind == STRAT_ARRIVALS_ON_OFF) {
        double share = process->on_s / (process->on_s + process->off_s);
        clock.on = sim_random_uniform(&clock.states) < share;
        clock.state_ends_s =
            sim_random_exponential(&clock.states, clock.on ? process->on_s : process->off_s);
    } else if (process->kind == STRAT_ARRIVALS_DIURNAL && process->hourly) {
        clock.highest = 0.0;
        for (int i = 0; i < STRAT_ARRIVALS_HOURS; i++) {
            clock.average += process->hourly[i] / STRAT_ARRIVALS_HOURS;
            clock.highest = MAX(clock.highest, process->hourly[i]);
        }
        clock.highest /= clock.average;
    }
    return clock;
}

double strat_arrivals_next(StratArrivalClock *clock)
{
    static double (*const nexts[])(StratArrivalClock *) = {
        [STRAT_ARRIVALS_ALL_AT_ONCE] = at_once, [STRAT_ARRIVALS_CONSTANT] = constant,
        [STRAT_ARRIVALS_POISSON] = poisson,     [STRAT_ARRIVALS_GAMMA] = gamma_gaps,
        [STRAT_ARRIVALS_WEIBULL] = weibull,     [STRAT_ARRIVALS_ON_OFF] = on_off,
        [STRAT_ARRIVALS_DIURNAL] = diurnal,     [STRAT_ARRIVALS_CLOSED_LOOP] = closed_loop,
    };
    clock->now_s = nexts[clock->process->kind](clock);
    clock->count++;
    return clock->now_s;
}
