/* Arrivals: a Poisson process whose jobs are of a class by the classes' shares, and records. What a
 * job is like is a function of (seed, replication, its number) alone, so two policies meet the same
 * jobs (common random numbers). */
#include "strat_queue_source.h"

static const double DAY_S = 86400.0;

enum { DRAW_WORK = 1 };

static void draw_gap(StratQueueSource *source)
{
    double per_day = source->queue->per_day;
    SimTime gap = per_day > 0.0
                      ? sim_time_capped(sim_random_exponential(&source->gaps, DAY_S / per_day))
                      : SIM_TIME_MAX;
    source->drawn_at = sim_time_later(source->drawn_at, gap);
}

StratQueueSource strat_queue_source_new(const StratQueue *queue, uint64_t replication)
{
    SimRandom gaps = sim_random_stream(queue->seed, "queue/arrivals");
    SimRandom jobs = sim_random_stream(queue->seed, "queue/jobs");
    StratQueueSource source = {
        .queue = queue,
        .gaps = sim_random_child(&gaps, replication),
        .jobs = sim_random_child(&jobs, replication),
    };
    for (size_t i = 0; i < queue->class_count; i++)
        source.shares += queue->classes[i].share;
    draw_gap(&source);
    return source;
}

static SimTime record_at(const StratQueueSource *source)
{
    const StratQueue *queue = source->queue;
    return source->recorded < queue->record_count
               ? sim_time_capped(queue->records[source->recorded].at_s)
               : SIM_TIME_MAX;
}

SimTime strat_queue_source_peek(const StratQueueSource *source)
{
    return MIN(record_at(source), source->drawn_at);
}

SimRandom strat_queue_source_draws(const StratQueueSource *source, int64_t number)
{
    return sim_random_child(&source->jobs, (uint64_t)number);
}

/* The class of a number from 0 to 1. */
static uint32_t class_of(const StratQueueSource *source, double luck)
{
    const StratQueue *queue = source->queue;
    uint32_t last = 0;
    luck *= source->shares;
    for (uint32_t i = 0; i < queue->class_count; i++) {
        double share = queue->classes[i].share;
        if (share > 0.0 && luck < share)
            return i;
        luck -= share;
        last = share > 0.0 ? i : last;
    }
    return last;
}

StratQueueArrival strat_queue_source_next(StratQueueSource *source)
{
    const StratQueue *queue = source->queue;
    bool is_record = record_at(source) <= source->drawn_at;
    StratQueueArrival job = {.number = source->number++, .at = strat_queue_source_peek(source)};
    SimRandom draws = strat_queue_source_draws(source, job.number);
    StratQueueRecord record = {.work_s = -1.0};
    double luck = sim_random_uniform(&draws);
    if (is_record)
        record = queue->records[source->recorded++];
    else
        draw_gap(source);
    job.class_index = is_record ? record.class_index : class_of(source, luck);
    const StratQueueClass *c = &queue->classes[job.class_index];
    double fail = sim_random_uniform(&draws), point = sim_random_uniform(&draws);
    job.crashes = sim_random_uniform(&draws) < c->crash_fraction;
    job.nodes = record.nodes > 0 ? record.nodes : c->nodes;
    double work_s = record.work_s >= 0.0
                        ? record.work_s
                        : strat_spread_draw(&c->work, sim_random_child(&draws, DRAW_WORK));
    job.work = MAX(sim_time_capped(work_s), 1);
    job.fail_at = fail < c->fail_fraction ? (SimTime)(point * (double)job.work) : -1;
    return job;
}
