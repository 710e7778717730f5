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
        const FairVariable *v = &fair->variables[fair->entries[i].variable];
        if (v->is_rising)
            link->load += fair->entries[i].weight * v->sharing;
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
    FairVariable *v = &fair->variables[variable];
    v->is_rising = false;
    for (uint32_t i = v->first; i < v->first + v->count; i++) {
        const FairEntry *entry = &fair->entries[i];
        FairLink *link = &fair->links[entry->link];
        if (!link->is_tight || entry->weight <= 0.0)
            continue;
        link->used += entry->weight * rate;
        link->load -= entry->weight * v->sharing;
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
        const FairVariable *v = &fair->variables[variable];
        if (!v->is_rising)
            continue;
        settle(fair, variable, fmin(v->sharing * level, v->ceiling), i - v->first);
        settled++;
    }
    return settled;
}

/* Lets all variables rise from 0. Returns how many there are: those that do not share stay. */
static uint32_t start_variables(TopoFair *fair)
{
    uint32_t rising = 0;
    for (uint32_t c = 0; c < fair->component_count; c++) {
        uint32_t variable = fair->component[c];
        FairVariable *v = &fair->variables[variable];
        v->is_rising = v->sharing > 0.0;
        if (!v->is_rising) {
            set_rate(fair, variable, 0.0, TOPO_FAIR_OWN_BOUND);
            continue;
        }
        fair->stops[fair->stop_count].level = v->ceiling / v->sharing;
        fair->stops[fair->stop_count++].id = fair->link_count + variable;
        rising++;
    }
    return rising;
}

static void start_links(TopoFair *fair)
{
    for (uint32_t c = 0; c < fair->component_link_count; c++) {
        FairLink *link = &fair->links[fair->component_links[c]];
        link->used = 0.0;
        link->load = 0.0;
        link->rising = 0;
        for (uint32_t i = link->head; i != FAIR_NONE; i = fair->entries[i].next) {
            const FairVariable *v = &fair->variables[fair->entries[i].variable];
            if (!v->is_rising)
                continue;
            link->load += fair->entries[i].weight * v->sharing;
            link->rising++;
        }
        link->load_origin = link->load;
        if (link->rising == 0)
            continue;
        fair->stops[fair->stop_count].level = link->capacity / link->load;
        fair->stops[fair->stop_count++].id = fair->component_links[c];
    }
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
        if (v->is_rising) {
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

void topo_fair_fill(TopoFair *fair)
{
    double level = 0.0;
    fair->stop_count = 0;
    uint32_t rising = start_variables(fair);
    start_links(fair);
    for (uint32_t i = fair->stop_count / 2; i-- > 0;)
        sift_down(fair, i);
    while (rising > 0)
        rising -= take_stop(fair, &level);
}
