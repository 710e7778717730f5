/* The arithmetic of kern_join.h against libm, and to the bit: the values below came from gcc 12 and
 * clang 14 alike, so that a compiler that contracts or reorders shows here. */
#include "kern_join.h"

#include <criterion/criterion.h>

Test(kern_join, powers_agree_with_libm)
{
    for (double x = 1e-9; x < 1e12; x *= 1.37) {
        cr_expect(fabs(kern_log2(x) - log2(x)) < 1e-11, "log2 %g", x);
        for (double p = 0.05; p < 20.0; p *= 1.9)
            if (fabs(p * log2(x)) < 900.0)
                cr_expect(fabs(kern_power(x, p) / pow(x, p) - 1.0) < 1e-9, "%g^%g", x, p);
    }
    for (double x = -999.0; x < 999.0; x += 0.377)
        cr_expect(fabs(kern_exp2(x) / exp2(x) - 1.0) < 2e-11, "2^%g", x);
    cr_expect(kern_exp2(0.0) == 1.0 && kern_exp2(10.0) == 1024.0 && kern_log2(8.0) == 3.0);
}

Test(kern_join, whole_up_is_ceil)
{
    for (double x = 0.0; x < 1e6; x = x * 1.1 + 0.25)
        cr_expect(kern_whole_up(x) == ceil(x), "%g", x);
}

Test(kern_join, powers_are_the_same_to_the_bit_everywhere)
{
    cr_expect(kern_log2(3.3) == 0x1.b8f3888b9310ap+0, "%a", kern_log2(3.3));
    cr_expect(kern_exp2(-7.77) == 0x1.2c3ee9468e85cp-8, "%a", kern_exp2(-7.77));
    cr_expect(kern_power(12345.678, 0.777) == 0x1.799cf80ecaaap+10, "%a",
              kern_power(12345.678, 0.777));
    cr_expect(kern_join(1.7, 2.9, 0.31) == 0x1.d64ab0080f852p+1, "%a", kern_join(1.7, 2.9, 0.31));
}

Test(kern_join, joins_lie_between_the_larger_and_the_sum_and_grow)
{
    for (double loss = 0.0; loss <= 1.0; loss += 0.125)
        for (double b = 0.0; b < 100.0; b = b * 1.7 + 0.1) {
            double last = 0.0;
            for (double a = 0.0; a < 100.0; a = a * 1.3 + 0.1) {
                double joined = kern_join(a, b, loss);
                cr_expect(joined >= fmax(a, b) * (1.0 - 1e-15) &&
                          joined <= (a + b) * (1.0 + 1e-15));
                cr_expect(joined >= last * (1.0 - 1e-15), "%g and %g at %g", a, b, loss);
                last = joined;
            }
        }
    cr_expect(fabs(kern_join(2.0, 3.0, 1.0) - 5.0) < 1e-14);
    cr_expect(fabs(kern_join(2.0, 3.0, 0.0) - 3.0) < 1e-14);
    cr_expect(fabs(kern_join(1e-6, 1.0, 0.25) - 1.00000025) < 1e-11, "a quarter of the lesser");
}
