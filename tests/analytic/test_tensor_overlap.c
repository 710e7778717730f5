/* What the plan hides of the tensor group's traffic, against sums worked out here.
 *
 * Without sequence parallelism the backward of each column-parallel product (QKV and MLP up of a
 * layer, the logits) all-reduces dX beside the product dW = X' dY (Korthikanti 2022,
 * section 4.2.2). Overlapped, the all-reduce of c seconds adds max(slowdown c, c - w) to the w
 * seconds of that product, so what the account of tensor communication loses is min((1 - slowdown)
 * c, w) each time. Each span rounds to whole ns; SPANS of them make the tolerance. */
#include "kern_gemm.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

enum { SEQUENCE = 1024, HIDDEN = 1024, LAYERS = 8, VOCAB = 8192, TENSOR = 2, SPANS = 64 };

static ToyWorld two_ranks(double bytes_per_s)
{
    ToyWorld world = toy_world();
    world.plan.tensor = TENSOR;
    world.cluster.node.scale_up_bytes_per_s = bytes_per_s;
    toy_lay_out(&world, 1, 1);
    return world;
}

static double tensor_comm_s(const ToyWorld *world)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, NULL);
    cr_assert(result != NULL);
    return (double)result->ledger_ns[STRAT_BUCKET_TENSOR_COMM] * 1e-9 / TENSOR;
}

/* Seconds of dW of a product with @columns outputs a rank. */
static double weight_s(const ToyWorld *world, int64_t columns)
{
    KernDevice device = toy_costing(world).device;
    KernGemmShape shape = {
        .batch = 1, .m = HIDDEN, .n = columns, .k = SEQUENCE, .dtype = world->plan.precision};
    return kern_gemm_s(&device, &shape);
}

/* The all-reduce of s x h values of 2 bytes over two ranks: as many bytes over each wire. */
static double reduce_s(double bytes_per_s)
{
    return 2.0 * SEQUENCE * HIDDEN / bytes_per_s;
}

static double hidden_s(const ToyWorld *world, double comm, double slowdown)
{
    double most = (1.0 - slowdown) * comm;
    return LAYERS * (fmin(most, weight_s(world, 3 * HIDDEN / TENSOR)) +
                     fmin(most, weight_s(world, 4 * HIDDEN / TENSOR))) +
           fmin(most, weight_s(world, VOCAB / TENSOR));
}

Test(tensor_overlap, alone_every_block_reduces_twice_a_layer_each_way)
{
    ToyWorld world = two_ranks(1e10);
    /* A layer: two forward, two backward; the embedding one, the logits' dX one. */
    double want = (4.0 * LAYERS + 2.0) * reduce_s(1e10), got = tensor_comm_s(&world);
    cr_expect(fabs(got - want) < SPANS * 1e-9, "%g s, not %g", got, want);
}

/* From wires so slow that all products are hidden to wires so fast that all traffic is. */
Test(tensor_overlap, hides_the_shorter_of_reduction_and_product)
{
    static const double slowdowns[] = {0.0, 0.1, 0.5};
    for (double rate = 1e9; rate <= 1e13; rate *= 2.0) {
        for (size_t i = 0; i < G_N_ELEMENTS(slowdowns); i++) {
            ToyWorld off = two_ranks(rate), on = off;
            on.plan.overlap_tensor_backward = true;
            on.plan.comm_slowdown = slowdowns[i];
            double got = tensor_comm_s(&off) - tensor_comm_s(&on);
            double want = hidden_s(&off, reduce_s(rate), slowdowns[i]);
            cr_expect(fabs(got - want) < SPANS * 1e-9, "at %g B/s: %g s hidden, not %g", rate, got,
                      want);
        }
    }
}
