/* Rates that change with time, by a change of time. A class whose mean rate is R has the rate R
 * a(t),
 *
 *     a(t) = s (1 + sum over incidents (F - 1) [from <= t < to]
 *                 + sum over cycles of c cos(2 pi (t - peak) / P))  +  e exp(-t / tau)
 *     A(t) = integral of a from 0 to t, in closed form,
 *
 * and faults come at A^-1 of the times at which they would come at an even rate: gaps keep their
 * distribution, bursts stay bursts. Excesses add: an incident of factor 5 in a summer that is 0.2
 * worse has 5.2. Early failures are a factor f of the rate and a share q of N units that is dead on
 * arrival,
 *
 *     e = (f - 1) + q N / (R tau)
 *
 * so that q N faults come besides; with R = 0 they come alone (s = 0, R = q N / tau, e = 1).
 * Incidents: RSC's driver bug and InfiniBand burst (arXiv 2410.21680); seasons: Acme's July (arXiv
 * 2403.07648). A is monotone, so Newton's steps are kept within the bracket that they narrow. */
#include "strat_fault_time.h"

#include "sim_math.h"

#include <math.h>

enum { STEPS = 200 };
static const double NEAR = 1e-13; /* of the time: below a nanosecond in an hour */
static const double TWO_PI = 6.28318530717958647693;

static bool is_hit(const StratFaultTime *time, const StratFaultIncident *incident)
{
    return !incident->class_name || g_str_equal(incident->class_name, time->class_name);
}

StratFaultTime strat_fault_time_of(const StratFaultModel *model, const StratFaultClass *c)
{
    StratFaultTime time = {.model = model, .class_name = c->name, .steady = 1.0};
    double rate = strat_fault_rate(model, c), tau = model->early_s;
    double dead = c->dead_fraction * (double)strat_fault_units(&model->site, c);
    if (rate <= 0.0 && dead > 0.0 && tau > 0.0) {
        time.mean_gap_s = tau / dead;
        time.steady = 0.0;
        time.early = 1.0;
        return time;
    }
    time.mean_gap_s = rate > 0.0 ? 1.0 / rate : INFINITY;
    if (rate > 0.0 && tau > 0.0)
        time.early = model->early_factor - 1.0 + dead / (rate * tau);
    time.is_even = time.early <= 0.0 && model->cycle_count == 0;
    for (size_t i = 0; i < model->incident_count; i++)
        time.is_even = time.is_even && !is_hit(&time, &model->incidents[i]);
    return time;
}

/* A(@t), and a(@t) in *@rate. */
static double operated(const StratFaultTime *time, double t, double *rate)
{
    const StratFaultModel *model = time->model;
    double sum = t, now = 1.0;
    for (size_t i = 0; i < model->incident_count; i++) {
        const StratFaultIncident *incident = &model->incidents[i];
        if (!is_hit(time, incident) || t <= incident->from_s)
            continue;
        sum += (incident->factor - 1.0) * (MIN(t, incident->to_s) - incident->from_s);
        now += t < incident->to_s ? incident->factor - 1.0 : 0.0;
    }
    for (size_t i = 0; i < model->cycle_count; i++) {
        const StratFaultCycle *cycle = &model->cycles[i];
        double turns = (t - cycle->peak_s) / cycle->period_s;
        double start = -cycle->peak_s / cycle->period_s; /* sin x = cos(x - a quarter turn) */
        sum += cycle->amplitude * cycle->period_s / TWO_PI *
               (sim_math_cos_turns(turns - 0.25) - sim_math_cos_turns(start - 0.25));
        now += cycle->amplitude * sim_math_cos_turns(turns);
    }
    *rate = time->steady * now;
    sum *= time->steady;
    if (time->early > 0.0) {
        double decay = sim_math_exp(-t / model->early_s);
        sum += time->early * model->early_s * (1.0 - decay);
        *rate += time->early * decay;
    }
    return sum;
}

double strat_fault_time_at(const StratFaultTime *time, double operated_s, double after_s)
{
    if (time->is_even)
        return operated_s;
    if (time->steady == 0.0 && operated_s >= time->early * time->model->early_s)
        return INFINITY;
    double low = after_s, high = INFINITY, t = after_s, rate;
    for (int i = 0; i < STEPS; i++) {
        double missing = operated_s - operated(time, t, &rate);
        if (missing >= 0.0)
            low = t;
        else
            high = t;
        double next = t + missing / rate;
        if (!(next >= low && next <= high))
            next = isinf(high) ? 2.0 * low + time->mean_gap_s : 0.5 * (low + high);
        if (fabs(next - t) <= NEAR * next)
            return next;
        t = next;
    }
    return t;
}
