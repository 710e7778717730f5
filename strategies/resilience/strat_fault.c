/* Fault histories in O(faults).
 *
 * A class has N units alike, each with r faults a second. Faults of many independent units are
 * together a process of rate N r, and for many units a Poisson one whatever each unit does
 * (Palm-Khintchine), so one process for the class is drawn and then the unit that it hits: a year
 * of 131,072 GPUs costs its faults and not its GPUs. Field data are burstier than Poisson (Weibull
 * shapes of 0.34 to 0.73 between failures of Titan), so gaps are a renewal process
 *
 *     gap = burst_gap E                            with chance b (the same node again)
 *           L E^(1/k) / Gamma(1 + 1/k)             else, L = (1 / (N r) - b burst_gap) / (1 - b)
 *
 * with E exponential of mean 1 and k the Weibull shape: mean 1 / (N r) whatever b and k are. Early
 * failures stretch time: the gaps are steps of A(t) = t + (f - 1) tau (1 - exp(-t / tau)), so that
 * the rate is N r (1 + (f - 1) exp(-t / tau)), f at first and 1 in the end.
 *
 * Lemons: a share q of the nodes fails m times as often as the others, at the same mean rate; a
 * fault hits one of them with the chance q m / (1 - q + q m).
 *
 * Each class draws from a stream of its own name, and each fault from a child of it. Recorded
 * faults come besides, at their own times. Left out: units of a class that differ by age or place
 * (cage, temperature), and domains beyond leaf and rack. */
#include "strat_fault.h"

#include "sim_math.h"

#include <math.h>

enum { NEWTON_STEPS = 64 };

/* A purpose of a number of a fault; those of the campaign are its own (strat_campaign_run.c). */
static const uint64_t DRAW_NODE = UINT64_C(1) << 32;

typedef struct Process {
    SimRandom stream;
    double mean_gap_s; /* infinite: it never fails */
    double operated_s; /* sum of the gaps */
    double at_s;       /* when the next fault comes */
    uint64_t drawn;
    bool in_burst; /* the next fault hits the node of the last */
    int64_t node;
    bool is_lemon;
} Process;

struct StratFaultHistory {
    const StratFaultModel *model;
    Process *processes;
    SimRandom record_stream;
    size_t recorded; /* records that have come */
};

int64_t strat_fault_units(const StratFaultSite *site, StratFaultUnit unit)
{
    int64_t nodes = (site->gpus + site->gpus_per_node - 1) / site->gpus_per_node;
    switch (unit) {
    case STRAT_FAULT_GPU:
        return site->gpus;
    case STRAT_FAULT_LEAF:
        return (nodes + site->nodes_per_leaf - 1) / site->nodes_per_leaf;
    case STRAT_FAULT_RACK:
        return (nodes + site->nodes_per_rack - 1) / site->nodes_per_rack;
    case STRAT_FAULT_JOB:
        return 1;
    default:
        return nodes;
    }
}

double strat_fault_rate(const StratFaultModel *model, const StratFaultClass *fault_class)
{
    return fault_class->per_unit_s * model->scale *
           (double)strat_fault_units(&model->site, fault_class->unit);
}

double strat_fault_stop_rate(const StratFaultModel *model)
{
    double sum = 0.0;
    for (size_t i = 0; i < model->count; i++)
        if (model->classes[i].effect == STRAT_FAULT_STOP ||
            model->classes[i].effect == STRAT_FAULT_HANG)
            sum += strat_fault_rate(model, &model->classes[i]);
    return sum;
}

/* The time at which operated time is @operated_s. A(t) is concave and A(u / f) <= u, so Newton's
 * steps rise to the answer from there. */
static double elapsed_at(const StratFaultModel *model, double operated_s)
{
    double excess = model->early_factor - 1.0, tau = model->early_s;
    if (excess <= 0.0 || tau <= 0.0)
        return operated_s;
    double t = operated_s / model->early_factor;
    for (int i = 0; i < NEWTON_STEPS; i++) {
        double decay = sim_math_exp(-t / tau);
        double step = (operated_s - t - excess * tau * (1.0 - decay)) / (1.0 + excess * decay);
        if (step <= 1e-12 * t)
            break;
        t += step;
    }
    return t;
}

static double draw_gap(const StratFaultClass *c, Process *process)
{
    double burst = c->burst_fraction;
    process->in_burst = burst > 0.0 && sim_random_uniform(&process->stream) < burst;
    double unit = sim_random_exponential(&process->stream, 1.0);
    if (process->in_burst)
        return c->burst_gap_s * unit;
    double mean_s = (process->mean_gap_s - burst * c->burst_gap_s) / (1.0 - burst);
    if (c->shape == 1.0 || unit <= 0.0)
        return mean_s * unit;
    double scale = mean_s / sim_math_exp(sim_math_log_gamma(1.0 + 1.0 / c->shape));
    return scale * sim_math_exp(sim_math_log(unit) / c->shape);
}

static void plan_next(const StratFaultModel *model, const StratFaultClass *c, Process *process)
{
    if (isinf(process->mean_gap_s))
        return;
    process->operated_s += draw_gap(c, process);
    process->at_s = elapsed_at(model, process->operated_s);
}

StratFaultHistory *strat_fault_history_new(const StratFaultModel *model, uint64_t replication)
{
    StratFaultHistory *history = g_new0(StratFaultHistory, 1);
    history->model = model;
    history->processes = g_new0(Process, model->count);
    for (size_t i = 0; i < model->count; i++) {
        const StratFaultClass *c = &model->classes[i];
        Process *process = &history->processes[i];
        g_autofree char *name = g_strconcat("fault/", c->name, NULL);
        SimRandom all = sim_random_stream(model->seed, name);
        double rate = strat_fault_rate(model, c);
        process->stream = sim_random_child(&all, replication);
        process->mean_gap_s = rate > 0.0 ? 1.0 / rate : INFINITY;
        process->at_s = INFINITY;
        plan_next(model, c, process);
        process->in_burst = false; /* nothing came before the first */
    }
    SimRandom records = sim_random_stream(model->seed, "fault records");
    history->record_stream = sim_random_child(&records, replication);
    return history;
}

void strat_fault_history_free(StratFaultHistory *history)
{
    if (!history)
        return;
    g_free(history->processes);
    g_free(history);
}

/* First node of the unit that is hit. */
static void draw_node(const StratFaultModel *model, const StratFaultClass *c, Process *process,
                      SimRandom draws)
{
    SimRandom stream = sim_random_child(&draws, DRAW_NODE);
    const StratFaultSite *site = &model->site;
    int64_t nodes = strat_fault_units(site, STRAT_FAULT_NODE);
    int64_t lemons = llround(model->lemon_fraction * (double)nodes);
    process->is_lemon = false;
    if (c->unit == STRAT_FAULT_LEAF || c->unit == STRAT_FAULT_RACK) {
        int64_t width = c->unit == STRAT_FAULT_LEAF ? site->nodes_per_leaf : site->nodes_per_rack;
        uint64_t units = (uint64_t)strat_fault_units(site, c->unit);
        process->node = width * (int64_t)sim_random_below(&stream, units);
        return;
    }
    double weight = (double)lemons * model->lemon_factor;
    double chance = weight / (weight + (double)(nodes - lemons));
    process->is_lemon = lemons > 0 && sim_random_uniform(&stream) < chance;
    process->node = process->is_lemon
                        ? (int64_t)sim_random_below(&stream, (uint64_t)lemons)
                        : lemons + (int64_t)sim_random_below(&stream, (uint64_t)(nodes - lemons));
}

static int64_t nodes_taken(const StratFaultModel *model, const StratFaultClass *c, int64_t node)
{
    int64_t left = MAX(strat_fault_units(&model->site, STRAT_FAULT_NODE) - node, 0);
    switch (c->unit) {
    case STRAT_FAULT_LEAF:
        return MIN(model->site.nodes_per_leaf, left);
    case STRAT_FAULT_RACK:
        return MIN(model->site.nodes_per_rack, left);
    case STRAT_FAULT_JOB:
        return 0;
    default:
        return 1;
    }
}

/* The next record, if it comes before @at_s. */
static bool next_record(StratFaultHistory *history, double at_s, StratFault *fault)
{
    const StratFaultModel *model = history->model;
    if (history->recorded == model->record_count || model->records[history->recorded].at_s > at_s)
        return false;
    const StratFaultRecord *record = &model->records[history->recorded];
    *fault = (StratFault){
        .at = (SimTime)(record->at_s * 1e9),
        .class_index = record->class_index,
        .node = record->node,
        .nodes = nodes_taken(model, &model->classes[record->class_index], record->node),
        .draws = sim_random_child(&history->record_stream, history->recorded++),
    };
    return true;
}

bool strat_fault_history_next(StratFaultHistory *history, StratFault *fault)
{
    const StratFaultModel *model = history->model;
    size_t first = 0;
    for (size_t i = 1; i < model->count; i++)
        if (history->processes[i].at_s < history->processes[first].at_s)
            first = i;
    if (next_record(history, model->count > 0 ? history->processes[first].at_s : INFINITY, fault))
        return true;
    if (model->count == 0 || history->processes[first].at_s * 1e9 >= 0x1p63)
        return false;
    const StratFaultClass *c = &model->classes[first];
    Process *process = &history->processes[first];
    *fault = (StratFault){
        .at = (SimTime)(process->at_s * 1e9),
        .class_index = (uint32_t)first,
        .draws = sim_random_child(&process->stream, process->drawn++),
    };
    if (!process->in_burst)
        draw_node(model, c, process, fault->draws);
    fault->node = process->node;
    fault->is_lemon = process->is_lemon;
    fault->nodes = nodes_taken(model, c, process->node);
    plan_next(model, c, process);
    return true;
}
