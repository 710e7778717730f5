/*
 * Random numbers: the published answers of Philox (Random123's kat_vectors), streams that do not
 * disturb each other, and moments. The moments have a fixed seed, so they are right or wrong for
 * good; their tolerance is 4 standard errors of the estimate.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "sim_random.h"

enum {
    DRAWS = 200000,
};

static const struct {
    uint32_t counter[4], key[2], want[4];
} answers[] = {
    {{0, 0, 0, 0},                                     {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}                                                          },
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}                                                          },
};

Test(sim_random, philox_gives_the_published_answers)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        uint32_t block[4];
        memcpy(block, answers[i].counter, sizeof(block));
        sim_random_philox(block, answers[i].key);
        cr_expect(memcmp(block, answers[i].want, sizeof(block)) == 0, "case %zu", i);
    }
}

Test(sim_random, a_stream_is_a_function_of_seed_and_name)
{
    SimRandom a = sim_random_stream(1, "arrivals");
    SimRandom same = sim_random_stream(1, "arrivals");
    SimRandom name = sim_random_stream(1, "arrivalt");
    SimRandom seed = sim_random_stream(2, "arrivals");
    int other_name = 0, other_seed = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t x = sim_random_next(&a);
        cr_expect(x == sim_random_next(&same));
        other_name += x == sim_random_next(&name);
        other_seed += x == sim_random_next(&seed);
    }
    cr_expect(other_name == 0 && other_seed == 0);
}

Test(sim_random, bits_of_a_stream_are_pinned)
{
    SimRandom stream = sim_random_stream(42, "gpu/17/failures");
    cr_expect(sim_random_next(&stream) == UINT64_C(0x47BC9A455BCD9DBC));
    cr_expect(sim_random_next(&stream) == UINT64_C(0x39E596B8B58571BF));
    cr_expect(sim_random_next(&stream) == UINT64_C(0xFC2E0093DC70A7F4));
    cr_expect(sim_random_exponential(&stream, 1.0) == 1.3080963954831657);
    cr_expect(sim_random_normal(&stream, 0.0, 1.0) == 1.1358154338344255);
}

Test(sim_random, uniform_stays_below_one_and_has_its_mean)
{
    SimRandom stream = sim_random_stream(7, "uniform");
    double sum = 0;
    for (int i = 0; i < DRAWS; i++) {
        double u = sim_random_uniform(&stream);
        cr_assert(u >= 0.0 && u < 1.0);
        sum += u;
    }
    cr_expect(fabs(sum / DRAWS - 0.5) < 4 * sqrt(1.0 / 12 / DRAWS));
}

Test(sim_random, below_hits_every_value_alike)
{
    SimRandom stream = sim_random_stream(7, "below");
    int hits[7] = {0};
    for (int i = 0; i < DRAWS; i++)
        hits[sim_random_below(&stream, 7)]++;
    for (int i = 0; i < 7; i++)
        cr_expect(fabs(hits[i] - DRAWS / 7.0) < 4 * sqrt(DRAWS / 7.0), "value %d: %d", i, hits[i]);
    cr_expect(sim_random_below(&stream, 1) == 0);
}

Test(sim_random, exponential_has_its_mean_and_variance)
{
    SimRandom stream = sim_random_stream(7, "exponential");
    double sum = 0, square = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = sim_random_exponential(&stream, 3.0);
        cr_assert(x >= 0.0 && isfinite(x));
        sum += x;
        square += x * x;
    }
    double mean = sum / DRAWS;
    cr_expect(fabs(mean - 3.0) < 4 * 3.0 / sqrt(DRAWS));
    /* The fourth central moment of an exponential is 9 mean^4, so its variance errs by sqrt(8/n).
     */
    cr_expect(fabs(square / DRAWS - mean * mean - 9.0) < 4 * 9.0 * sqrt(8.0 / DRAWS));
}

Test(sim_random, normal_has_its_mean_and_deviation)
{
    SimRandom stream = sim_random_stream(7, "normal");
    double sum = 0, square = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = sim_random_normal(&stream, 10.0, 2.0);
        sum += x - 10.0;
        square += (x - 10.0) * (x - 10.0);
    }
    cr_expect(fabs(sum / DRAWS) < 4 * 2.0 / sqrt(DRAWS));
    cr_expect(fabs(square / DRAWS - 4.0) < 4 * 4.0 * sqrt(2.0 / DRAWS));
}

Test(sim_random, logarithm_agrees_with_the_library)
{
    /* -ln(1 - u) for the same u, drawn from two copies of one stream; 4 units in the last place. */
    SimRandom stream = sim_random_stream(9, "log");
    for (int i = 0; i < 10000; i++) {
        SimRandom copy = stream;
        double want = -log(1.0 - sim_random_uniform(&copy));
        double got = sim_random_exponential(&stream, 1.0);
        cr_expect(fabs(got - want) <= 4 * 0x1p-52 * want, "%.17g, not %.17g", got, want);
    }
}

Test(sim_random, a_child_depends_on_its_index_and_its_stream_only)
{
    SimRandom stream = sim_random_stream(1, "lengths");
    SimRandom drawn = stream;
    sim_random_next(&drawn);
    SimRandom a = sim_random_child(&stream, 7), b = sim_random_child(&drawn, 7);
    SimRandom c = sim_random_child(&stream, 8);
    SimRandom other = sim_random_stream(2, "lengths"), d = sim_random_child(&other, 7);
    uint64_t first = sim_random_next(&a);
    cr_expect_eq(first, sim_random_next(&b));
    cr_expect_neq(first, sim_random_next(&c));
    cr_expect_neq(first, sim_random_next(&d));
    double sum = 0.0;
    for (uint64_t i = 0; i < 10000; i++) {
        SimRandom child = sim_random_child(&stream, i);
        sum += sim_random_uniform(&child);
    }
    cr_expect(fabs(sum - 5000.0) < 4.0 * 28.9, "%g", sum); /* 4 sqrt(10000 / 12) */
}
