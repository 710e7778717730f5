/* Passes over memory: launches plus bytes over bandwidth, 1 us and 1 TB/s here. */
#include "kern_pass.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static double seconds(const ToyWorld *world, double bytes, int kernels)
{
    KernDevice device = {
        .gpu = &world->cluster.node.gpu, .profile = &world->profile, .clock_fraction = 1.0};
    return kern_pass_s(&device, bytes, kernels);
}

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got / want - 1.0) <= 1e-12, "%s: %.17g, not %.17g", what, got, want);
}

Test(kern_pass, takes_a_launch_each_and_its_bytes_over_the_bandwidth)
{
    ToyWorld world = toy_world();
    expect_near(seconds(&world, 1e9, 1), 1e-6 + 1e-3, "one kernel");
    expect_near(seconds(&world, 1e9, 7), 7e-6 + 1e-3, "seven");
    expect_near(seconds(&world, 0.0, 3), 3e-6, "nothing to move");
    world.profile.memory.fraction = 0.5;
    expect_near(seconds(&world, 1e9, 1), 1e-6 + 2e-3, "half the bandwidth");
}

Test(kern_pass, that_is_not_launched_takes_nothing)
{
    ToyWorld world = toy_world();
    world.profile.memory.half_bytes = 1e6;
    cr_expect(seconds(&world, 1e9, 0) <= 0.0);
}

Test(kern_pass, reaches_half_its_bandwidth_at_half_bytes)
{
    ToyWorld world = toy_world();
    world.profile.memory.launch_s = 0.0;
    world.profile.memory.half_bytes = 1e6;
    expect_near(1e6 / seconds(&world, 1e6, 1), 0.5e12, "bytes per second");
    expect_near(1e12 / seconds(&world, 1e12, 1), 1e12 / (1.0 + 1e-6), "large");
}

Test(kern_pass, is_linear_in_bytes_and_never_less_for_more)
{
    ToyWorld world = toy_world();
    world.profile.memory.half_bytes = 1e5;
    double empty = seconds(&world, 0.0, 2), last = empty;
    for (double bytes = 1.0; bytes < 1e12; bytes *= 3.0) {
        double now = seconds(&world, bytes, 2);
        cr_expect(now >= last);
        cr_expect(fabs(now - empty - bytes / 1e12) <= 1e-12 * now);
        last = now;
    }
}
