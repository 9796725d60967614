/* golden_stream.h - the random streams and the filling rules of the golden files: every value from its name. */
#ifndef THORAX_GOLDEN_STREAM_H
#define THORAX_GOLDEN_STREAM_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* FNV-1a over the bytes of the name. */
static uint64_t stream_hash(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return h;
}

static uint64_t stream_start(const char *name, uint64_t seed)
{
    return stream_hash(name) + seed * 0xd1342543de82ef95u;
}

/* z(i) of the stream that starts at h: output number i of splitmix64. */
static uint64_t stream_z(uint64_t h, uint64_t i)
{
    uint64_t z = h + (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Uniform on [-1, 1) in 24 bits. */
static double stream_u(uint64_t h, uint64_t i)
{
    return (double)((int64_t)(stream_z(h, i) >> 40) - 8388608) / 8388608.0;
}

/* Position of sample j (0, 1, 2) in a tensor of n values. */
static size_t stream_sample(uint64_t h, int j, size_t n)
{
    return (size_t)(stream_z(h, ((uint64_t)1 << 32) + (uint64_t)j) % n);
}

/* GC, GL, BW, BB of a file's gain line. */
typedef struct stream_gain {
    double conv, linear, weight, bias;
} stream_gain;

/* Fills a tensor of the state by its name, in the file's order. norm: it belongs to a batch norm. Returns 0, or -1 where
 * no rule fits. */
static int stream_fill(const char *name, int dims, const int *shape, int norm, stream_gain gain, uint64_t seed,
                       float *out)
{
    uint64_t h = stream_start(name, seed);
    const char *dot = strrchr(name, '.'), *leaf = dot ? dot + 1 : name;
    size_t count = 1;
    for (int i = 0; i < dims; i++)
        count *= (size_t)shape[i];
    double middle = 0, scale;
    int magnitude = 0;
    if (strcmp(leaf, "bias") == 0) {
        middle = norm ? gain.bias : 0;
        scale = 0.1;
    } else if (strcmp(leaf, "running_mean") == 0) {
        scale = 0.1;
    } else if (strcmp(leaf, "running_var") == 0) {
        middle = 1;
        scale = 0.5;
        magnitude = 1;
    } else if (strcmp(leaf, "weight") == 0 && dims == 1) {
        middle = gain.weight;
        scale = 0.1;
    } else if (strcmp(leaf, "weight") == 0 && dims == 4) {
        scale = gain.conv * sqrt(3.0 / ((double)shape[1] * shape[2] * shape[3]));
    } else if (strcmp(leaf, "weight") == 0 && dims == 2) {
        scale = gain.linear * sqrt(3.0 / shape[1]);
    } else {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        double u = stream_u(h, i);
        out[i] = (float)(middle + scale * (magnitude ? fabs(u) : u));
    }
    return 0;
}

#endif
