/* Mean and coefficient of variation with their errors by the central limit theorem:
 *
 *   se(mean) = s / sqrt(n),  se(s^2) = sqrt((m4 - s^4) / n),
 *   se(s / mean) <= se(s^2) / (2 s mean) + s se(mean) / mean^2
 */
#include "moments.h"

#include <math.h>

Moments moments_of(const double *sample, size_t count)
{
    double n = (double)count, mean = 0.0, second = 0.0, fourth = 0.0;
    for (size_t i = 0; i < count; i++)
        mean += sample[i] / n;
    for (size_t i = 0; i < count; i++) {
        double square = (sample[i] - mean) * (sample[i] - mean);
        second += square / n;
        fourth += square * square / n;
    }
    double deviation = sqrt(second);
    Moments moments = {.mean = mean, .mean_error = deviation / sqrt(n), .cv = deviation / mean};
    if (deviation > 0.0)
        moments.cv_error = sqrt((fourth - second * second) / n) / (2.0 * deviation * mean) +
                           deviation * moments.mean_error / (mean * mean);
    return moments;
}

bool moments_agree(double got, double error, double want, double slack)
{
    return fabs(got - want) <= 4.0 * error + slack;
}
