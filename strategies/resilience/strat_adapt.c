/* Steps of jobs that go on without some nodes, from the lines t(m) = c + s m of their pipelines,
 * which the step level measures. P stages, D replicas, m microbatches of each, M = m D in all, w
 * workers lost, u the bubble: time in which a stage waits, in a step.
 *
 * peer takeover (ReCycle, Gandhi et al., SOSP 2024, arXiv 2405.14009): the peers of a lost worker
 * in other replicas take its microbatches. Lost ones are spread over the stages ("failure
 * normalization"), so a stage lacks k = ceil(w / P) and its peers do ceil(m k / (D - k)) more.
 * Split backwards and staggered optimizers put that into bubbles, as far as there are any:
 *
 *     t = t(m) + max(0, s ceil(m k / (D - k)) - u)
 *
 * Its example of 3 pipelines of 4 stages and 6 microbatches takes 27 slots whole and 27 without one
 * worker. Left out: activations kept longer, for which memory must be there.
 *
 * redundant stage (Bamboo, Thorpe et al., NSDI 2023): each worker also runs the forward of the next
 * stage, in its bubbles as far as they go, and after a failure does the work of both:
 *
 *     whole t(m) + max(0, s m f - u), f the forward's share; later t(m) + max(0, s m - u)
 *
 * Left out: the memory for the second stage's weights.
 *
 * templates (Oobleck, Jang et al., SOSP 2023, arXiv 2309.08125): w pipelines go on a stage shorter,
 * and microbatches are dealt so that all end together:
 *
 *     t = min over m' of max(t_P(ceil((M - w m') / (D - w))), t_(P-1)(m'))
 *
 * or, where that is slower or the shorter ones do not fit, w / P pipelines fewer do it all.
 *
 * morph (Varuna, Athlur et al., EuroSys 2022): of all P', D' = (P D - w) / P' pipelines that do
 * ceil(M / D') microbatches each, the fastest.
 *
 * uneven tensor (Nonuniform Tensor Parallelism, Arfeen et al., arXiv 2504.06095): a GPU is lost and
 * the other T - 1 of its group go on, so that its replica takes s T / (T - 1) a microbatch, and is
 * dealt fewer. Left out: the boost of power that lets it keep up.
 *
 * Stragglers (GREYHOUND, Wu et al., ATC 2025): a GPU at the fraction x of its clock makes
 * microbatches of its replica s / x long, and it is dealt fewer, as above. A link at the fraction x
 * of its bandwidth is given pipeline traffic instead of gradients: t(m) + e (1 / x - 1), e the
 * sends of a step that no computing hides; those that are hidden are taken to stay so.
 *
 * No adaptation is faster than the whole job: a plan that is was not written by its owner. */
#include "strat_adapt.h"

#include <glib.h>
#include <math.h>

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static double at(const StratPipelineLine *line, int64_t microbatches)
{
    return line->fixed_s + line->microbatch_s * (double)microbatches;
}

static bool whole_line(const StratAdaptJob *job, StratPipelineLine *line)
{
    return job->line(job->stages, line, job->ctx);
}

/* The whole job's step and @more work of each worker, as far as it is not done in bubbles. */
static double with_more(const StratAdaptJob *job, const StratPipelineLine *line, double more_s)
{
    return at(line, job->microbatches) + MAX(more_s - job->bubble_s, 0.0);
}

static double peer_takeover(const StratAdaptJob *job, int64_t workers)
{
    StratPipelineLine line;
    int64_t gone = ceil_div(workers, job->stages), peers = job->replicas - gone;
    if (peers < 1 || !whole_line(job, &line))
        return INFINITY;
    int64_t more = ceil_div(job->microbatches * gone, peers);
    return with_more(job, &line, line.microbatch_s * (double)more);
}

static double redundant_stage(const StratAdaptJob *job, int64_t workers)
{
    StratPipelineLine line;
    if (!whole_line(job, &line) || (workers > 0 && job->stages < 2))
        return INFINITY;
    if (job->stages < 2)
        return at(&line, job->microbatches);
    double all_s = line.microbatch_s * (double)job->microbatches;
    double forward_s = with_more(job, &line, all_s * job->forward_fraction);
    return workers == 0 ? forward_s : MAX(forward_s, with_more(job, &line, all_s));
}

/* The least time in which @slow pipelines along @slower and @fast ones along @faster do @all
 * microbatches together. */
static double balanced(int64_t all, int64_t fast, const StratPipelineLine *faster, int64_t slow,
                       const StratPipelineLine *slower)
{
    int64_t share = ceil_div(all, fast + slow);
    if (fast == 0)
        return at(slower, share);
    double best = INFINITY;
    for (int64_t each = 0; each <= share; each++) {
        double rest = at(faster, ceil_div(MAX(all - slow * each, 0), fast));
        best = MIN(best, each > 0 && slow > 0 ? MAX(rest, at(slower, each)) : rest);
    }
    return best;
}

static double templates(const StratAdaptJob *job, int64_t workers)
{
    StratPipelineLine whole, longer, shorter;
    int64_t all = job->microbatches * job->replicas, d = job->replicas;
    if (d < 2 || !whole_line(job, &whole))
        return INFINITY;
    int64_t depth = ceil_div(workers, d), fewer = workers - (depth - 1) * d;
    double best = INFINITY;
    if (depth < job->stages && job->line(job->stages - depth, &shorter, job->ctx) &&
        (fewer == d || job->line(job->stages - depth + 1, &longer, job->ctx)))
        best = balanced(all, d - fewer, &longer, fewer, &shorter);
    int64_t left = (job->stages * d - workers) / job->stages;
    if (left > 0)
        best = MIN(best, at(&whole, ceil_div(all, left)));
    return best;
}

static double morph(const StratAdaptJob *job, int64_t workers)
{
    int64_t left = job->stages * job->replicas - workers;
    int64_t all = job->microbatches * job->replicas;
    double best = INFINITY;
    for (int64_t stages = MAX(job->stages / 2, 1); stages <= 2 * job->stages; stages++) {
        StratPipelineLine line;
        int64_t replicas = left / stages;
        if (replicas > 0 && job->line(stages, &line, job->ctx))
            best = MIN(best, at(&line, ceil_div(all, replicas)));
    }
    return best;
}

static double uneven_tensor(const StratAdaptJob *job, int64_t gpus)
{
    StratPipelineLine line;
    if (gpus >= job->replicas || job->tensor < 2 || !whole_line(job, &line))
        return INFINITY;
    StratPipelineLine slower = line;
    slower.microbatch_s *= (double)job->tensor / (double)(job->tensor - 1);
    return balanced(job->microbatches * job->replicas, job->replicas - gpus, &line, gpus, &slower);
}

static double adapted(const StratAdaptJob *job, StratAdaptation adaptation, int64_t lost)
{
    int64_t workers = lost * job->workers_per_node;
    switch (adaptation) {
    case STRAT_ADAPT_PEER_TAKEOVER:
        return peer_takeover(job, workers);
    case STRAT_ADAPT_REDUNDANT_STAGE:
        return redundant_stage(job, workers);
    case STRAT_ADAPT_TEMPLATES:
        return templates(job, workers);
    case STRAT_ADAPT_MORPH:
        return morph(job, workers);
    case STRAT_ADAPT_UNEVEN_TENSOR:
        return uneven_tensor(job, lost);
    default:
        return INFINITY;
    }
}

double strat_adapt_step(const StratAdaptJob *job, StratAdaptation adaptation, int64_t lost)
{
    StratPipelineLine line;
    if (!whole_line(job, &line))
        return INFINITY;
    double whole_s = at(&line, job->microbatches);
    if (lost == 0 && adaptation != STRAT_ADAPT_REDUNDANT_STAGE)
        return whole_s;
    return MAX(adapted(job, adaptation, lost), whole_s);
}

double strat_adapt_rebalanced(const StratAdaptJob *job, double clock_fraction)
{
    StratPipelineLine line;
    if (!whole_line(job, &line))
        return INFINITY;
    StratPipelineLine slower = line;
    slower.microbatch_s /= clock_fraction;
    return balanced(job->microbatches * job->replicas, job->replicas - 1, &line, 1, &slower);
}

double strat_adapt_swapped(const StratAdaptJob *job, double fraction)
{
    StratPipelineLine line;
    if (!whole_line(job, &line))
        return INFINITY;
    return at(&line, job->microbatches) + job->pipeline_s * (1.0 / fraction - 1.0);
}
