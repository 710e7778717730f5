/*
 * The fair-share solver on systems that can be solved on paper, and how much of a system a change
 * makes it look at.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "topo_fair.h"

static const uint32_t FIRST_LINKS[] = {0, 1, 2, 3, 4, 5, 6, 7};
static const double ONES[] = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};

static uint32_t add(TopoFair *fair, const uint32_t *links, const double *weights, uint32_t count,
                    double sharing, double bound)
{
    TopoFairVariable variable = {
        .links = links,
        .weights = weights,
        .count = count,
        .sharing_weight = sharing,
        .rate_bound_bytes_per_s = bound,
    };
    return topo_fair_add(fair, &variable);
}

static void expect_rate(const TopoFair *fair, uint32_t variable, double want)
{
    double got = topo_fair_rate_bytes_per_s(fair, variable);
    cr_expect(got == want || fabs(got - want) <= 1e-14 * want, "variable %u: %.17g, want %.17g",
              variable, got, want);
}

Test(topo_fair, a_link_is_shared_in_proportion_to_the_sharing_weights)
{
    const double capacity[] = {12.0};
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 1);
    uint32_t one = add(fair, FIRST_LINKS, ONES, 1, 1.0, INFINITY);
    uint32_t three = add(fair, FIRST_LINKS, ONES, 1, 3.0, INFINITY);
    uint32_t none = add(fair, FIRST_LINKS, ONES, 1, 0.0, INFINITY);
    topo_fair_solve(fair);
    expect_rate(fair, one, 3.0);
    expect_rate(fair, three, 9.0);
    expect_rate(fair, none, 0.0);
    cr_expect(topo_fair_bottleneck(fair, one) == 0 && topo_fair_bottleneck(fair, three) == 0);
}

/* What is shared is progress: a collective that puts two bytes on the link for each of its own
 * takes two thirds of it. */
Test(topo_fair, rates_are_equal_where_link_weights_are_not)
{
    const double capacity[] = {12.0}, two[] = {2.0};
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 1);
    uint32_t light = add(fair, FIRST_LINKS, ONES, 1, 1.0, INFINITY);
    uint32_t heavy = add(fair, FIRST_LINKS, two, 1, 1.0, INFINITY);
    topo_fair_solve(fair);
    expect_rate(fair, light, 4.0);
    expect_rate(fair, heavy, 4.0);
}

/* Bertsekas and Gallager, figure 6.17: what is held back elsewhere leaves its share to others. */
Test(topo_fair, what_one_cannot_use_goes_to_the_others)
{
    const double capacity[] = {1.0, 1.0, 2.0};
    const uint32_t last[] = {2};
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 3);
    uint32_t on_first[3], through;
    for (int i = 0; i < 3; i++)
        on_first[i] = add(fair, FIRST_LINKS, ONES, 1, 1.0, INFINITY);
    through = add(fair, FIRST_LINKS, ONES, 3, 1.0, INFINITY);
    uint32_t on_last = add(fair, last, ONES, 1, 1.0, INFINITY);
    topo_fair_solve(fair);
    for (int i = 0; i < 3; i++)
        expect_rate(fair, on_first[i], 0.25);
    expect_rate(fair, through, 0.25);
    expect_rate(fair, on_last, 1.75);
}

Test(topo_fair, a_bound_leaves_its_share_to_the_others)
{
    const double capacity[] = {10.0};
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 1);
    uint32_t bounded = add(fair, FIRST_LINKS, ONES, 1, 1.0, 1.0);
    uint32_t a = add(fair, FIRST_LINKS, ONES, 1, 1.0, INFINITY);
    uint32_t b = add(fair, FIRST_LINKS, ONES, 1, 1.0, INFINITY);
    topo_fair_solve(fair);
    expect_rate(fair, bounded, 1.0);
    expect_rate(fair, a, 4.5);
    expect_rate(fair, b, 4.5);
    cr_expect(topo_fair_bottleneck(fair, bounded) == TOPO_FAIR_OWN_BOUND);
}

Test(topo_fair, without_links_the_bound_is_the_rate)
{
    const double capacity[] = {1.0}, zero[] = {0.0};
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 1);
    uint32_t bounded = add(fair, NULL, NULL, 0, 1.0, 7.0);
    uint32_t unbounded = add(fair, NULL, NULL, 0, 1.0, INFINITY);
    uint32_t weightless = add(fair, FIRST_LINKS, zero, 1, 1.0, INFINITY);
    topo_fair_solve(fair);
    expect_rate(fair, bounded, 7.0);
    expect_rate(fair, unbounded, INFINITY);
    expect_rate(fair, weightless, INFINITY);
    cr_expect(topo_fair_bottleneck(fair, weightless) == TOPO_FAIR_OWN_BOUND);
}

Test(topo_fair, a_dead_link_stops_who_crosses_it_until_it_is_repaired)
{
    const double capacity[] = {4.0, 0.0};
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 2);
    uint32_t stopped = add(fair, FIRST_LINKS, ONES, 2, 1.0, INFINITY);
    uint32_t other = add(fair, FIRST_LINKS, ONES, 1, 1.0, INFINITY);
    topo_fair_solve(fair);
    expect_rate(fair, stopped, 0.0);
    expect_rate(fair, other, 4.0);
    cr_expect(topo_fair_bottleneck(fair, stopped) == 1);
    topo_fair_set_capacity(fair, 1, 1.0);
    topo_fair_solve(fair);
    expect_rate(fair, stopped, 1.0);
    expect_rate(fair, other, 3.0);
}

/* 1e12 bytes/s and 1 byte/s in one system, on one link: each keeps its digits. */
Test(topo_fair, twelve_orders_of_magnitude_stand_side_by_side)
{
    const double capacity[] = {1e12, 1.0};
    const double tiny[] = {1e-6};
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 2);
    uint32_t slow = add(fair, FIRST_LINKS, ONES, 2, 1.0, INFINITY);
    uint32_t wide = add(fair, FIRST_LINKS, ONES, 1, 1e6, INFINITY);
    uint32_t light = add(fair, FIRST_LINKS, tiny, 1, 1e6, INFINITY);
    topo_fair_solve(fair);
    expect_rate(fair, slow, 1.0);
    expect_rate(fair, wide, (1e12 - 1.0) / (1.0 + 1e-6));
    expect_rate(fair, light, (1e12 - 1.0) / (1.0 + 1e-6));
}

Test(topo_fair, a_link_named_twice_counts_twice)
{
    const double capacity[] = {6.0};
    const uint32_t twice[] = {0, 0};
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 1);
    uint32_t there_and_back = add(fair, twice, ONES, 2, 1.0, INFINITY);
    topo_fair_solve(fair);
    expect_rate(fair, there_and_back, 3.0);
    uint32_t other = add(fair, FIRST_LINKS, ONES, 1, 1.0, INFINITY);
    topo_fair_solve(fair);
    expect_rate(fair, there_and_back, 2.0);
    expect_rate(fair, other, 2.0);
}

Test(topo_fair, a_change_looks_at_its_own_component_only)
{
    const double capacity[] = {1.0, 1.0, 1.0, 1.0};
    uint32_t changed_count, pair[4][2];
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 4);
    for (uint32_t l = 0; l < 4; l++)
        for (int i = 0; i < 2; i++)
            pair[l][i] = add(fair, &FIRST_LINKS[l], ONES, 1, 1.0, INFINITY);
    topo_fair_solve(fair);
    cr_expect(topo_fair_solved_count(fair) == 8);
    topo_fair_remove(fair, pair[2][0]);
    topo_fair_solve(fair);
    const uint32_t *changed = topo_fair_changed(fair, &changed_count);
    cr_expect(topo_fair_solved_count(fair) == 1 && changed_count == 1 && changed[0] == pair[2][1]);
    expect_rate(fair, pair[2][1], 1.0);
    topo_fair_solve(fair);
    cr_expect(topo_fair_solved_count(fair) == 0);
    topo_fair_changed(fair, &changed_count);
    cr_expect(changed_count == 0);
}

/* Eight hosts of 1 byte/s each through an uplink of 8: it cannot fill up, so it joins nobody. */
Test(topo_fair, a_link_that_cannot_fill_up_joins_nobody)
{
    const double capacity[] = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 8.0};
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 9);
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t path[] = {i, 8};
        uint32_t host = add(fair, path, ONES, 2, 1.0, INFINITY);
        topo_fair_solve(fair);
        cr_expect(topo_fair_solved_count(fair) == 1);
        expect_rate(fair, host, 1.0);
    }
    topo_fair_set_capacity(fair, 8, 4.0);
    topo_fair_solve(fair);
    cr_expect(topo_fair_solved_count(fair) == 8 && topo_fair_link_users(fair, 8) == 8);
    for (uint32_t i = 0; i < 8; i++) {
        expect_rate(fair, i, 0.5);
        cr_expect(topo_fair_bottleneck(fair, i) == 1);
    }
}

Test(topo_fair, numbers_and_room_are_used_again)
{
    const double capacity[] = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
    g_autoptr(TopoFair) fair = topo_fair_new(capacity, 8);
    for (uint32_t round = 0; round < 10000; round++) {
        uint32_t a = add(fair, FIRST_LINKS, ONES, 1 + round % 8, 1.0, INFINITY);
        uint32_t b = add(fair, FIRST_LINKS, ONES, 8 - round % 8, 1.0, INFINITY);
        cr_assert(a < 2 && b < 2);
        topo_fair_solve(fair);
        expect_rate(fair, a, 0.5);
        topo_fair_remove(fair, a);
        topo_fair_solve(fair);
        expect_rate(fair, b, 1.0);
        topo_fair_remove(fair, b);
    }
}
