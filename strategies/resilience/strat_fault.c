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
 * with E exponential of mean 1 and k the Weibull shape: mean 1 / (N r) whatever b and k are. Gaps
 * are of operated time, which strat_fault_time.c turns into time; nodes are drawn by
 * strat_fault_place.c. A class of the calendar comes each so long, whatever happens.
 *
 * Each class draws from a stream of its own name, and each fault from a child of it. Recorded
 * faults come besides, at their own times. Left out: units that wear out. */
#include "strat_fault.h"

#include "sim_math.h"
#include "strat_fault_place.h"
#include "strat_fault_time.h"

#include <math.h>

/* A purpose of a number of a fault; those of the campaign are its own (strat_campaign_run.c). */
static const uint64_t DRAW_NODE = UINT64_C(1) << 32;

typedef struct Process {
    SimRandom stream;
    StratFaultTime time;
    StratFaultPlaces places;
    double operated_s; /* sum of the gaps */
    double at_s;       /* when the next fault comes; infinite: never */
    uint64_t drawn;
    bool in_burst; /* the next fault hits the node of the last */
    int64_t node;
    double excess;
} Process;

struct StratFaultHistory {
    const StratFaultModel *model;
    Process *processes;
    SimRandom record_stream;
    size_t recorded; /* records that have come */
};

int64_t strat_fault_nodes(const StratFaultSite *site)
{
    return (site->gpus + site->gpus_per_node - 1) / site->gpus_per_node;
}

int64_t strat_fault_width(const StratFaultSite *site, const StratFaultClass *fault_class)
{
    switch (fault_class->unit) {
    case STRAT_FAULT_LEAF:
        return site->nodes_per_leaf;
    case STRAT_FAULT_RACK:
        return site->nodes_per_rack;
    case STRAT_FAULT_DOMAIN:
        return fault_class->domain_nodes;
    case STRAT_FAULT_JOB:
        return 0;
    default:
        return 1;
    }
}

int64_t strat_fault_units(const StratFaultSite *site, const StratFaultClass *fault_class)
{
    int64_t width = strat_fault_width(site, fault_class);
    if (fault_class->unit == STRAT_FAULT_GPU)
        return site->gpus;
    return width == 0 ? 1 : (strat_fault_nodes(site) + width - 1) / width;
}

double strat_fault_rate(const StratFaultModel *model, const StratFaultClass *fault_class)
{
    if (fault_class->every_s > 0.0)
        return 1.0 / fault_class->every_s;
    double units = (double)strat_fault_units(&model->site, fault_class);
    return model->scale * (fault_class->per_unit_s * units + fault_class->per_job_s);
}

static bool stops(StratFaultEffect effect)
{
    return effect == STRAT_FAULT_STOP || effect == STRAT_FAULT_HANG ||
           effect == STRAT_FAULT_PREEMPT || effect == STRAT_FAULT_ALARM;
}

double strat_fault_stop_rate(const StratFaultModel *model)
{
    double sum = 0.0;
    for (size_t i = 0; i < model->count; i++)
        if (stops(model->classes[i].effect))
            sum += strat_fault_rate(model, &model->classes[i]);
    return sum;
}

static double draw_gap(const StratFaultClass *c, Process *process)
{
    double burst = c->burst_fraction;
    process->in_burst = burst > 0.0 && sim_random_uniform(&process->stream) < burst;
    double unit = sim_random_exponential(&process->stream, 1.0);
    if (process->in_burst)
        return c->burst_gap_s * unit;
    double mean_s = (process->time.mean_gap_s - burst * c->burst_gap_s) / (1.0 - burst);
    if (c->shape == 1.0 || unit <= 0.0)
        return mean_s * unit;
    double scale = mean_s / sim_math_exp(sim_math_log_gamma(1.0 + 1.0 / c->shape));
    return scale * sim_math_exp(sim_math_log(unit) / c->shape);
}

static void plan_next(const StratFaultClass *c, Process *process)
{
    double last_s = process->at_s;
    if (c->every_s > 0.0) {
        process->at_s = c->every_s * (double)(process->drawn + 1);
        return;
    }
    process->at_s = INFINITY;
    if (isinf(process->time.mean_gap_s))
        return;
    process->operated_s += draw_gap(c, process);
    process->at_s = strat_fault_time_at(&process->time, process->operated_s, last_s);
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
        process->stream = sim_random_child(&all, replication);
        process->time = strat_fault_time_of(model, c);
        process->places = strat_fault_places_new(model);
        plan_next(c, process);
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
    for (size_t i = 0; i < history->model->count; i++)
        strat_fault_places_clear(&history->processes[i].places);
    g_free(history->processes);
    g_free(history);
}

static int64_t nodes_taken(const StratFaultModel *model, const StratFaultClass *c, int64_t node)
{
    return CLAMP(strat_fault_nodes(&model->site) - node, 0, strat_fault_width(&model->site, c));
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
        .excess = 1.0,
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
        process->node =
            strat_fault_place(&process->places, model, c,
                              sim_random_child(&fault->draws, DRAW_NODE), &process->excess);
    fault->node = process->node;
    fault->excess = process->excess;
    fault->nodes = nodes_taken(model, c, process->node);
    plan_next(c, process);
    return true;
}
