/*
 * Progressive filling of one component. A level (bytes/s for each unit of sharing weight) rises
 * from 0 and all variables rise with it, x(v) = s(v) * level, until something stops some of them:
 *
 *     a variable reaches its ceiling c(v):   level = c(v) / s(v)
 *     a link fills up:                       level = (C - used) / load,
 *
 * where used sums w x of its settled variables, and load sums w s of those still rising, all of
 * which settle with it (Bertsekas and Gallager, section 6.5.2). The stops wait in a heap. Settling
 * a variable at or below the level where a link would fill can only move that level up, so what the
 * heap knows of a link is a lower bound, and is looked at again only when it comes out on top. With
 * e entries, n variables and m links a component takes O(e + (n + m) log(n + m)) when a link comes
 * out a few times, as is usual, and O(e log(n + m)) at worst.
 *
 * Rounding. used only grows, so its error stays a few ulps of C. load is subtracted from, and what
 * is left may be noise when weights differ by orders of magnitude: it is summed up afresh whenever
 * it has fallen below LOAD_NOISE of what it was. Whether anybody still rises is counted, never
 * concluded from a sum. Levels are kept from falling, so ties that rounding tears apart settle one
 * after the other with the same rate but for the last digits.
 */
#include <math.h>

#include "topo_fair_private.h"

static const double LOAD_NOISE = 1.0 / 16.0;

static bool is_before(const FairStop *a, const FairStop *b)
{
    return a->level < b->level || (a->level == b->level && a->id < b->id);
}

/* Moves the stop at @at down to where it belongs, when all below it are in order. */
static void sift_down(TopoFair *fair, uint32_t at)
{
    FairStop *stops = fair->stops;
    FairStop moving = stops[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= fair->stop_count)
            break;
        if (child + 1 < fair->stop_count && is_before(&stops[child + 1], &stops[child]))
            child++;
        if (!is_before(&stops[child], &moving))
            break;
        stops[at] = stops[child];
        at = child;
    }
    stops[at] = moving;
}

static void drop_top(TopoFair *fair)
{
    fair->stops[0] = fair->stops[--fair->stop_count];
    if (fair->stop_count > 0)
        sift_down(fair, 0);
}

static void set_rate(TopoFair *fair, uint32_t variable, double rate, uint32_t held)
{
    FairVariable *v = &fair->variables[variable];
    if (v->rate == rate && v->held == held)
        return;
    v->rate = rate;
    v->held = held;
    fair->changed[fair->changed_count++] = variable;
}

/* Sums up the load of @link afresh. */
static void sum_load(const TopoFair *fair, FairLink *link)
{
    link->load = 0.0;
    for (uint32_t i = link->head; i != FAIR_NONE; i = fair->entries[i].next) {
        if (fair->is_rising[fair->entries[i].variable])
            link->load += fair->entries[i].load;
    }
    link->load_origin = link->load;
}

/* The level at which @link, on which somebody still rises, fills up. */
static double fill_level(const TopoFair *fair, FairLink *link)
{
    if (link->load < LOAD_NOISE * link->load_origin)
        sum_load(fair, link);
    return fmax(link->capacity - link->used, 0.0) / link->load;
}

static void settle(TopoFair *fair, uint32_t variable, double rate, uint32_t held)
{
    const FairVariable *v = &fair->variables[variable];
    fair->is_rising[variable] = false;
    for (uint32_t i = v->first; i < v->first + v->count; i++) {
        const FairEntry *entry = &fair->entries[i];
        if (!fair->is_tight[entry->link] || entry->weight <= 0.0)
            continue;
        FairLink *link = &fair->links[entry->link];
        link->used += entry->weight * rate;
        link->load -= entry->load;
        link->rising--;
    }
    set_rate(fair, variable, rate, held);
}

/* Settles all that rise on @link at @level. Returns how many. */
static uint32_t settle_link(TopoFair *fair, const FairLink *link, double level)
{
    uint32_t settled = 0;
    for (uint32_t i = link->head; i != FAIR_NONE; i = fair->entries[i].next) {
        uint32_t variable = fair->entries[i].variable;
        if (!fair->is_rising[variable])
            continue;
        const FairVariable *v = &fair->variables[variable];
        settle(fair, variable, fmin(v->sharing * level, v->ceiling), i - v->first);
        settled++;
    }
    return settled;
}

/* Whether the ceiling of @v is that of a link which it shares: that fills up before. */
static bool is_stopped_by_link(const TopoFair *fair, const FairVariable *v)
{
    return v->lowest != TOPO_FAIR_OWN_BOUND &&
           fair->is_tight[fair->entries[v->first + v->lowest].link];
}

static void add_stop(TopoFair *fair, double level, uint32_t id)
{
    fair->stops[fair->stop_count].level = level;
    fair->stops[fair->stop_count++].id = id;
}

static void reach_variable(TopoFair *fair, uint32_t variable)
{
    if (fair->variable_visit[variable] == fair->visit)
        return;
    fair->variable_visit[variable] = fair->visit;
    fair->component[fair->component_count++] = variable;
}

/* Empties @number, a tight link, and reaches all on it. */
static void reach_link(TopoFair *fair, uint32_t number)
{
    FairLink *link = &fair->links[number];
    if (fair->link_visit[number] == fair->visit)
        return;
    fair->link_visit[number] = fair->visit;
    link->used = 0.0;
    link->load = 0.0;
    link->rising = 0;
    for (uint32_t i = link->head; i != FAIR_NONE; i = fair->entries[i].next) {
        reach_variable(fair, fair->entries[i].variable);
        link->load += fair->entries[i].load;
        link->rising += fair->entries[i].load > 0.0;
    }
    link->load_origin = link->load;
    if (link->rising > 0)
        add_stop(fair, link->capacity / link->load, number);
}

/* Lets @variable rise from 0, unless it does not share, and reaches its tight links. Returns 1 when
 * it rises. */
static uint32_t start_variable(TopoFair *fair, uint32_t variable)
{
    const FairVariable *v = &fair->variables[variable];
    for (uint32_t i = v->first; i < v->first + v->count; i++)
        if (fair->is_tight[fair->entries[i].link] && fair->entries[i].weight > 0.0)
            reach_link(fair, fair->entries[i].link);
    fair->is_rising[variable] = v->sharing > 0.0;
    if (v->sharing <= 0.0) {
        set_rate(fair, variable, 0.0, TOPO_FAIR_OWN_BOUND);
        return 0;
    }
    if (!is_stopped_by_link(fair, v))
        add_stop(fair, v->ceiling / v->sharing, fair->link_count + variable);
    return 1;
}

/* Takes the first stop: drops it when it stops nobody, puts it back when it is further up than was
 * known, else settles those it stops. @level is the level reached. Returns how many settled. */
static uint32_t take_stop(TopoFair *fair, double *level)
{
    FairStop *top = &fair->stops[0];
    uint32_t settled = 0;
    if (top->id >= fair->link_count) {
        uint32_t variable = top->id - fair->link_count;
        const FairVariable *v = &fair->variables[variable];
        if (fair->is_rising[variable]) {
            *level = fmax(*level, top->level);
            settle(fair, variable, v->ceiling, v->lowest);
            settled = 1;
        }
    } else if (fair->links[top->id].rising > 0) {
        FairLink *link = &fair->links[top->id];
        double at = fill_level(fair, link);
        if (at > top->level) {
            top->level = at;
            sift_down(fair, 0);
            return 0;
        }
        *level = fmax(*level, top->level);
        settled = settle_link(fair, link, *level);
    }
    drop_top(fair);
    return settled;
}

void topo_fair_fill(TopoFair *fair, uint32_t variable)
{
    double level = 0.0;
    uint32_t rising = 0;
    fair->component_count = 0;
    fair->stop_count = 0;
    reach_variable(fair, variable);
    for (uint32_t i = 0; i < fair->component_count; i++)
        rising += start_variable(fair, fair->component[i]);
    fair->solved_count += fair->component_count;
    for (uint32_t i = fair->stop_count / 2; i-- > 0;)
        sift_down(fair, i);
    while (rising > 0)
        rising -= take_stop(fair, &level);
}
