#!/bin/sh
# mutants.sh - do the tests notice? Each line below breaks one thing in a scratch copy of the library (a sign, a term, a
# tail, a mask, a place of eps, an accumulation) and names the test that must then fail. A mutation that changes nothing is
# stale and counts as survived: the line must follow the code. The last line is `N killed, N survived`.
#
#     test/mutants.sh [WORD]     only mutations whose file or description contains WORD
#
# Each processor takes the next row that nobody has taken, with a copy of its own. A test ends with the first check that
# fails (TEST_STOPS), and of the unchanged library only those run that a row names. Parts of a run, each a process:
# `mutants.sh part compile SOURCE`, `.. part base TEST`, `.. part share I WORK`, `.. part list`. `mutants.sh part stale` lists rows
# whose text is gone.
top=$(cd "$(dirname "$0")/.." && pwd)
CC=${CC:-cc}
if [ -z "${MUTANT_FLAGS:-}" ]; then
    MUTANT_FLAGS="-std=c11 -O1 -ffp-contract=off -w"
    # Not into /dev/null: some compilers unlink what they write to, which root may.
    probe=$(mktemp) || exit 1
    if echo 'int main(void){return 0;}' | $CC -fopenmp -x c -o "$probe" - 2>/dev/null; then MUTANT_FLAGS="$MUTANT_FLAGS -fopenmp"; fi
    rm -f "$probe"
    export MUTANT_FLAGS
fi
# One instruction set is enough, as the text of its kernels is that of all. It is the only one that tests find (ONLY_ISA),
# for beside one that is unchanged any change would show; but those that go from one to another find all.
TX_ISA=portable
if grep -q avx2 /proc/cpuinfo 2>/dev/null; then TX_ISA=avx2; fi
export TX_ISA OMP_WAIT_POLICY=passive

compile() { # SOURCE: into o/FLOOR/NAME.o
    # shellcheck disable=SC2086
    $CC $MUTANT_FLAGS -I. -c -o "o/${1%.c}.o" "$1"
}
link() { # PROGRAM
    case $1 in
    '') return 0 ;;
    thorax) parts="o/bench/*.o" ;;
    bench_*) parts="o/test/$1.o $(ls o/bench/*.o | grep -v /main.o)" ;;
    *) parts=o/test/$1.o ;;
    esac
    # shellcheck disable=SC2086
    $CC $MUTANT_FLAGS -o "o/$1" $parts o/core/*.o o/layers/*.o o/nets/*.o o/optim/*.o o/io/*.o -lm
}

# A row names a program of test/ with or without the word before its first _, or a checker's files. Seconds each.
ops="test/golden/op_conv.txt test/golden/op_norm_pool.txt test/golden/op_misc.txt test/golden/op_loss.txt test/golden/op_optim.txt"
program_of() { # TEST
    case $1 in
    ops | reference | net | nasnet | squeeze | inception | maps) echo golden ;;
    odd) echo pixels ;;
    check_*) echo thorax ;;
    lint) ;;
    *)
        for p in "core_$1" "layers_$1" "nets_$1" "graph_$1" "optim_$1" "io_$1" "$1"; do
            [ -f "$top/test/$p.c" ] && echo "$p" && break
        done
        ;;
    esac
}
seconds=60 # that a test may take
run_test() { # TEST
    case $1 in
    ops) ONLY_ISA=$TX_ISA timeout $seconds o/golden $ops ;;
    reference) timeout $seconds o/golden --reference $ops ;;
    net) timeout $seconds o/golden test/golden/resnet18-3_64x64_b2.txt ;;
    nasnet) timeout $seconds o/golden test/golden/nasnet_a_mobile-2_64x64_b2.txt test/golden/nasnet_a_mobile_71x93_b3.txt ;;
    inception) timeout $seconds o/golden test/golden/inception_v3-1_91x78_b3.txt test/golden/inception_v4-2_76x101_b3.txt ;;
    squeeze) timeout $seconds o/golden test/golden/mobilenet_v3_large_64x64_b2.txt ;;
    maps) timeout $seconds o/golden test/golden/cam.txt ;;
    odd) timeout $seconds o/pixels test/odd ;;
    pixels) timeout $seconds o/pixels test/pixels ;;
    machine) timeout $seconds o/graph_machine ;;
    check_*) timeout $((2 * seconds)) sh test/$1.sh o ;;
    lint) sh test/lint.sh o ;;
    *) ONLY_ISA=$TX_ISA timeout $seconds "o/$(program_of "$1")" ;;
    esac >/dev/null 2>&1
}

# ---- the unchanged library, which must pass; then the shares
part=
[ "${1:-}" = part ] && part=$2
case $part in
compile)
    compile "$3"
    exit
    ;;
base)
    seconds=600
    run_test "$3" || { echo "the unchanged library fails test $3"; exit 255; }
    exit 0
    ;;
esac
processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
each() { # PART, of every word of standard input
    xargs -n 1 -P "$processors" sh "$top/test/mutants.sh" part "$1"
}
prepare() { # ROWS: tests they name
    for floor in core layers nets optim io bench test; do
        mkdir -p "base/$floor" "base/o/$floor"
        cp "$top/$floor"/*.[ch] "base/$floor/"
    done
    cp -r "$top/core/kernels" "$top/core/simd" "$top/core/README.md" base/core
    cp -r "$top/test/golden" "$top/test/pixels" "$top/test/odd" "$top/test/xrv" "$top/test/pth" "$top/test/bounds.txt" "$top/test/bits.txt" "$top/test/cli.sh" "$top/test/lint.sh" "$top/test/circles.sh" "$top"/test/check_*.sh base/test
    cp "$top/test/complete.bash" base/test
    ln -s "$top/bench/nih-sample-128" "$top/bench/presets" "$top/bench/thorax.1" base/bench/
    cd base || exit 1
    sed 's/return i->kernels && i->usable();/return i->kernels \&\& i->usable() \&\& (!getenv("ONLY_ISA") || !strcmp(getenv("ONLY_ISA"), i->name));/' \
        "$top/core/isa.c" >core/isa.c
    grep -q ONLY_ISA core/isa.c || { echo "core/isa.c: where are the instruction sets listed?"; exit 1; }
    programs=$(for t in $1; do program_of "$t"; done | sort -u)
    {
        ls core/*.c layers/*.c nets/*.c optim/*.c io/*.c bench/*.c
        for p in $programs; do [ "$p" = thorax ] || echo "test/$p.c"; done
    } | each compile || exit 1
    for p in $programs; do link "$p" || exit 1; done
    echo "$1" | each base || exit 1
}
# ---- the whole: what the rows name, the unchanged library, then the shares
if [ -z "$part" ]; then
    ONLY=${1:-}
    export ONLY
    tests=$(sh "$top/test/mutants.sh" part list | sort -u)
    [ "$tests" ] || { echo "no row contains \"$ONLY\""; exit 1; }
    work=$(mktemp -d) || exit 1
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    cd "$work" || exit 1
    (prepare "$tests") || exit 1
    i=0
    while [ $i -lt "$processors" ]; do
        echo "$i $work"
        i=$((i + 1))
    done | xargs -L 1 -P "$processors" sh "$top/test/mutants.sh" part share || exit 1
    cat share*.out | sort | cut -d' ' -f2-
    cat share*.out | awk '$4 == "killed" { killed++ } END { print killed + 0 " killed, " NR - killed " survived"; exit NR > killed }'
    exit
fi
if [ "$part" = stale ]; then
    ONLY=
    cd "$top" || exit 1
fi
if [ "$part" = share ]; then
    work=$4
    cp -r "$work/base" "$work/$3" && cd "$work/$3" || exit 1
    mkdir tmp
    TMPDIR=$PWD/tmp
    TEST_STOPS=1
    export TMPDIR TEST_STOPS
    number=0
    exec >"$work/share$3.out"
fi

# What has to be compiled again after a change of FILE.
sources_of() {
    case $1 in
    core/kernels/*.h | core/simd/*.h) echo "core/kernels_$TX_ISA.c" ;;
    core/sizes.h) echo core/channel.c ;;
    layers/conv2d.h) echo layers/conv2d.c ;;
    io/loader_private.h) echo io/preprocess.c ;;
    test/layers_check.h) echo test/layers_own.c ;;
    *) echo "$1" ;;
    esac
}

# A row: its test is named, or its text is looked for, or it is tried by the first share that comes to it.
mutate() { # FILE TEST SED-EXPRESSION DESCRIPTION
    case "$1 $4" in *"$ONLY"*) ;; *) return 0 ;; esac
    case $part in
    list)
        echo "$2"
        return 0
        ;;
    stale)
        if [ ! -f "$1" ] || sed -e "$3" "$1" | cmp -s - "$1"; then echo "$1 $2 '$4'"; fi
        return 0
        ;;
    esac
    number=$((number + 1))
    mkdir "$work/row$number" 2>/dev/null || return 0
    source=$(sources_of "$1")
    how=
    sed -e "$3" "../base/$1" >"$1"
    if cmp -s "$1" "../base/$1"; then
        verdict="SURVIVED: stale, the text is not there"
    elif ! compile "$source" 2>/dev/null || ! link "$(program_of "$2")"; then
        verdict="SURVIVED: it does not compile"
    else
        run_test "$2"
        case $? in
        0) verdict=SURVIVED ;;
        124) verdict=killed how=" (after $seconds s)" ;;
        *) verdict=killed ;;
        esac
    fi
    cp "../base/$1" "$1"
    cp "../base/o/${source%.c}.o" "o/${source%.c}.o"
    printf '%04d %-22s %-9s %-9s %s\n' "$number" "$1" "$2" "$verdict" "$4$how"
}

# ---- depthwise convolution
f=layers/depthwise.c
mutate $f reference 's/sum += s->param\[0\]\[k \* c + j\]/sum -= s->param[0][k * c + j]/' 'depthwise definition: sign of the product'
mutate $f layers_depthwise 's/s->dx\[0\]\[(size_t)from \* c + j\] +=/s->dx[0][(size_t)from * c + j] =/' 'depthwise definition: input gradient not accumulated'
mutate $f layers_depthwise 's/fused_target(s, s->param\[1\], /fused_target(s, NULL, /' 'depthwise: bias forgotten'
mutate $f layers_depthwise 's/{x->c, 1, d->kernel_h, d->kernel_w}/{x->c, 1, d->kernel_w, d->kernel_h}/' 'depthwise weight: rows and columns exchanged'
f=core/depthwise.c
mutate $f core_depthwise 's/size_t left = TX_CHUNK - pixel % TX_CHUNK/size_t left = TX_CHUNK/' 'depthwise sums: chunks by rows'
mutate $f core_depthwise 's/if (left == TX_CHUNK)/if (column == 0)/' 'depthwise sums: begun with a row'
mutate $f core_depthwise 's/column == 0 \&\& y < end/y < end/' 'depthwise dx: rows by every owner (added to itself twice)'
mutate $f core_depthwise 's/above < (int)row ? above : (int)row, (int)row/above < (int)row ? above : (int)row, (int)row - 1/' 'depthwise ring: the last row is missing'
mutate $f core_depthwise 's/larger(above, 0) + larger(below, 0) + 1/larger(above, 0) + 1/' 'depthwise ring of dy: too short'
mutate $f core_depthwise 's/(size_t)(d->kernel_h - 1) \* (size_t)d->dilation_h + 1 + /(size_t)d->kernel_h + /' 'depthwise ring of x: no room for dilation'
mutate $f core_depthwise 's/if (row % h == 0 || p == t->first)/if (p == t->first)/' 'depthwise ring: rows of the image before'
mutate $f core_depthwise 's/if (from % stride != 0)/if (from % stride > 0)/' 'depthwise dx: rest of negative places'
mutate $f core_depthwise 's/sum\[k\] += (double)pass->partial/sum[k] = (float)sum[k] + pass->partial/' 'depthwise sums: merged in float'
f=core/kernels/depthwise.h
mutate $f core_depthwise 's/channel_affine(x, z, channel + k, c - k)/channel_affine(x, z, k, c - k)/' 'depthwise load: coefficients of the first slice'
mutate $f core_depthwise 's/r->w\[t\] + w_apart, outputs, rows/r->w[0] + 16 * t + w_apart, outputs, rows/' 'depthwise dx: weights of rows that do not meet it'
mutate $f core_depthwise 's/sum\[0\]\[o\] = v_fma(w, v_load(x), sum\[0\]\[o\])/sum[0][o] = v_add(v_mul(w, v_load(x)), sum[0][o])/' 'depthwise: products rounded'
mutate $f core_depthwise 's/r->add + first \* add_ld/r->add + first * ld/' 'depthwise: stride of the addend'
mutate $f core_depthwise 's/a = v_mul(scale, a);//' 'depthwise slope: without the scale'
mutate $f core_depthwise 's/kernel_slope(x->act, z, v_take/kernel_slope(x->act, value, v_take/' 'depthwise slope: activation of the raw value'
mutate $f core_depthwise 's/first + m >= 0 ? ~(uintptr_t)0 : 0/1 ? ~(uintptr_t)0 : 0/' 'depthwise read directly: columns before the map'
mutate $f core_depthwise 's/first + columns - half + m < r->width ?/first + columns - half + m <= r->width ?/' 'depthwise read directly: columns behind the map'
mutate $f core_depthwise 's/sum\[row\]\[o\] = v_fma(w\[k\], value, sum/sum[row][o] = v_fma(w[across - 1 - k], value, sum/' 'depthwise sweeps: taps turned'
mutate $f core_depthwise 's/for (size_t o = from; o < outputs; o++)/for (size_t o = 0; o < outputs; o++)/' 'depthwise: outputs that have been put already once more'
mutate core/depthwise.c core_depthwise 's/ \&\& d->left <= half \&\&/ \&\&/' 'depthwise read directly: more columns before the map than half a kernel'
mutate core/depthwise.c core_depthwise 's/^           last < x->w + half;/           1;/' 'depthwise read directly: more columns behind the map'
mutate core/depthwise.c core_depthwise 's/ \&\& pass->y->add != pass->y->data);/);/' 'depthwise read directly: last channels added to twice'
mutate core/depthwise.c core_depthwise 's/            from -= 16 - n;//' 'depthwise read directly: weights of the last channels'
mutate core/depthwise.c core_depthwise 's/y < 0 || y >= x->h ? NULL : x->data + pixel/y < 0 ? NULL : x->data + pixel/' 'depthwise read directly: rows below the map'
mutate core/depthwise.c core_depthwise 's/, n, t->channel, t->c, part/, n, 0, t->c, part/' 'depthwise statistics: of the first slice'
mutate core/depthwise.c core_depthwise 's/if (pixel % TX_CHUNK == 0 || pixel == pass->pixels)/if (pixel % TX_CHUNK == 0)/' 'depthwise statistics: not of the last chunk'
mutate $f core_depthwise 's/a = v_add(a, v_load(g + 16 \* i/a = v_add(v_zero(), v_load(g + 16 * i/' 'depthwise db: the last alone'

# ---- convolution
f=layers/conv2d.c
mutate $f reference 's/y\[o\] += w\[c % z.ci \* z.o + o\] \* x\[c\]/y[o] -= w[c % z.ci * z.o + o] * x[c]/' 'definition: sign of the product'
mutate $f reference 's/y\[o\] = a->has_bias ? s->param\[1\]\[o\] : 0/y[o] = 0/' 'definition: no bias'
mutate $f gradient 's/dw\[o\] += x \* dy\[o\]/dw[o] = x * dy[o]/' 'definition: weight gradient not accumulated'
mutate $f gradient 's/s->dx\[0\]\[at + c\] += sum/s->dx[0][at + c] = sum/' 'definition: input gradient not accumulated'
mutate $f reference 's/o \* stride + k \* dilation - padding/o * stride + k * dilation + padding/' 'sign of the padding'
mutate $f ops 's/fused_target(s, s->param\[1\], /fused_target(s, NULL, /' 'convolution: bias forgotten'
f=layers/conv2d_backward.c
mutate $f ops 's/s->grad\[1\]\[k\] = (float)sum\[k\]/s->grad[1][k] = (float)sum[0]/' 'bias gradient of channel 0'
mutate $f ops 's/int at = first + a->padding - k/int at = first - k/' 'input gradient: padding forgotten'
mutate $f ops 's/first + a->padding - k \* a->dilation/first + a->padding - k/' 'input gradient: dilation forgotten'
mutate $f ops 's/(a->n - first + a->stride - 1) \/ a->stride/(a->n - first) \/ a->stride/' 'input gradient: last pixel of a class'
mutate $f ops 's/(tx_tap){y->place\[i\], x->place\[j\]}/(tx_tap){x->place[j], y->place[i]}/' 'input gradient: rows and columns exchanged'
mutate $f ops 's/y->k\[i\] \* kernel_w + x->k\[j\]/x->k[j] * kernel_w + y->k[i]/' 'input gradient: kernel transposed'
mutate $f conv2d 's/class_gradient(s, &k, group, 1, 1) : TX_OK/TX_OK : TX_OK/' 'input gradient: pixels that no tap reaches'
mutate $f grouped 's/dx->add ? dx->add + first : NULL/dx->add/' 'groups: addend of the first'
mutate $f grouped 's/s->grad\[0\] + k \* o + (size_t)group \* columns/s->grad[0] + k * o/' 'groups: dw over the first'
mutate $f grouped 's/.data = s->param\[0\] + group \* n,/.data = s->param[0],/' 'groups: dx by the first weight'
mutate layers/conv2d.h grouped 's/        x.gate += first;/        ;/' 'groups: gates of the first'
mutate layers/conv2d.h grouped 's/        x.shift += first;/        ;/' 'groups: shifts of the first'
mutate layers/conv2d.c grouped 's/        y.add += first;/        ;/' 'groups: what is added to the first'
mutate layers/conv2d.c grouped 's/        y.bias += first;/        ;/' 'groups: biases of the first'
mutate layers/conv2d.c reference 's/return c \/ z->ci \* z->co/return c % z->ci * z->co/' 'definition: results of another group'
f=layers/conv2d_narrow.c
mutate $f grouped 's/to.add = c ? to.data : NULL/to.add = NULL/' 'narrow: the last channel of a group alone'
mutate $f grouped 's/j ? to : NULL, LANES}/NULL, LANES}/' 'narrow: dx by the last result alone'
mutate $f grouped 's/row.gate = x.gate + at->image \* x.gate_ld + first/row.gate = x.gate + first/' 'narrow: gates of the first image'
mutate $f grouped 's/for (size_t n = 0; n < images; n++)/for (size_t n = 0; n < 1; n++)/' 'narrow: dw of the first image'
mutate $f grouped 's/from\[0\].scale = fold_of(&t->z, s) + first/from[0].scale = fold_of(\&t->z, s)/' 'narrow: a batch norm of the first groups'
mutate $f grouped 's/s->add.ld + first/s->add.ld/' 'narrow: what is added to the first groups'

# ---- averages of nine
mutate core/kernels/channel.h pool 's/(size_t)(t % 3) \* x->ld/(size_t)(t % 2) * x->ld/' 'average of nine: columns'
mutate core/kernels/channel.h pool 's/plain = !largest \&\& !view_changes(x)/plain = !largest/' 'average of nine: of a view'

# ---- audit: what it measures, and that it notices a kernel that is wrong
mutate bench/audit.c bench_audit 's/raise_to(&error->relative, off \/ scale);/;/' 'audit: errors are not counted'
mutate bench/audit.c bench_audit 's/isnan(v) ? (double)INFINITY : v/isnan(v) ? *most : v/' 'audit: what is no number is no error'
mutate bench/audit.c bench_audit 's/    compare(a, a->wanted, n, &a->result->gradient);//' 'audit: gradients are not compared'
mutate bench/audit.c bench_audit 's/        probe_input(a, node);//' 'audit: no differences'
mutate bench/command_audit.c check_audit 's/known = a->row\[i\].wanted = 1/known = 1/' 'audit: of none'
mutate layers/linear.c check_audit 's/fused_target(step, step->param\[BIAS\], NULL)/fused_target(step, NULL, NULL)/' 'audit: a bias forgotten'
mutate core/kernels/depthwise.h check_audit 's/a = v_add(a, v_load(g + 16 \* i/a = v_add(v_zero(), v_load(g + 16 * i/' 'audit: a kernel of sums'

# ---- batch norm
f=layers/batchnorm.c
mutate $f reference 's/1 \/ sqrt(v + a->eps)/1 \/ (sqrt(v) + a->eps)/' 'definition: eps outside of the root'
mutate $f gradient 's/(s->dy\[i\] - mean_dy - (/(s->dy[i] - (/' 'definition: mean of dy dropped'
mutate $f gradient 's/ - (s->x\[0\]\[i\] - mean) \* rstd \* mean_xh//' 'definition: second term dropped'
mutate $f reference 's/v \* (double)m \/ (double)(m - 1)/v/' 'definition: biased running variance'
mutate $f ops 's/1 \/ sqrt(variance\[c\] + a->eps)/1 \/ sqrt(variance[c]) + a->eps/' 'eps outside'
mutate $f ops 's/(double)m \/ (double)(m - 1) : 1/1.0 : 1/' 'biased running variance'
mutate $f ops 's/keep \* (double)running_mean\[c\] + a->momentum/a->momentum * (double)running_mean[c] + keep/' 'momentum turned round'
mutate $f ops 's/(float)(sum_g\[c\] \/ m) : 0/0 : 0/' 'mean of the gradient dropped'
mutate $f ops 's/(float)(sum_gx\[c\] \* (rstd \* rstd) \/ m) : 0/0 : 0/' 'slope dropped'
mutate $f ops 's/(sum_gx\[c\] \* (rstd \* rstd) \/ m)/(sum_gx[c] * rstd \/ m)/' 'one rstd dropped'
mutate $f ops 's/(float)(sum_gx\[c\] \* rstd);/(float)sum_gx[c];/' 'weight gradient without rstd'
mutate $f ops 's/(float)(bias - mean \* (double)\*scale)/(float)(bias + mean * (double)*scale)/' 'sign of the mean'
mutate $f gradient 's/\*step->counter += 1;//' 'batches not counted'
mutate $f gradient 's/    x.act = step->act;//' 'backward: the mask of the joined activation'
mutate $f ops 's/mean_g\[c\] = step->training ?/mean_g[c] = 1 ?/' 'running statistics let gradients through'

# ---- activations, sums, concatenation, dropout
f=layers/activation.c
mutate $f reference 's/return z < 0 ? 0 : z;/return z > 0 ? 0 : z;/' 'definition: the wrong half'
mutate $f reference 's/return z > 0;/return z >= 0;/' 'definition: derivative 1 at 0'
mutate $f reference 's/return z > 0 \&\& z < 6;/return z > 0 \&\& z <= 6;/' 'definition: derivative 1 at 6'
mutate $f gradient 's/&step->dy.g, &step->y, step->node->op->act)/\&step->dy.g, NULL, TX_ACT_NONE)/' 'no mask'
mutate $f elementwise 's/return s \* (1 + z \* tx_logistic(-z));/return s * (1 - z * tx_logistic(-z));/' 'definition: sign in SiLU'\''s derivative'
f=core/kernels/act.h
mutate $f elementwise 's/return v_min(b.ceiling, v_max(b.floor, z));/return v_min(b.ceiling, v_max(z, b.floor));/' 'NaN becomes 0'
mutate $f elementwise 's/v_ge(z, v_set1(3.0f))/v_gt(z, v_set1(3.0f))/' 'hardswish: derivative 1.5 at 3'
mutate $f elementwise 's/v_gt(z, v_set1(-3.0f))/v_ge(z, v_set1(-3.0f))/' 'hardswish: derivative -0.5 at -3'
mutate $f elementwise 's/v_fma(z, v_sub(one, s), one)/v_fma(z, s, one)/' 'SiLU: slope of the wrong side'
mutate layers/scale.c elementwise 's/return i \/ image \* c + i % c;/return i % c;/' 'definition: the first image'\''s gate'
mutate layers/stochastic_depth.c elementwise 's/return u >= a->p ?/return u < a->p ?/' 'kept and dropped exchanged'
mutate layers/dropout.c state 's/(uint64_t)node->ordinal << 32/(uint64_t)node->index << 32/' 'a mask that other nodes shift'
mutate layers/add.c gradient 's/s->dx\[k\]\[i\] += s->dy\[i\]/s->dx[k][i] = s->dy[i]/' 'definition: not accumulated'
mutate layers/add.c gradient 's/NULL : &step->y;/NULL : NULL;/' 'mask of the joined activation'
mutate layers/concat.c gradient 's/start += c;/start += c - 1;/' 'definition: slices overlap'
mutate layers/concat.c gradient 's/s->dx\[input\]\[at_x\] += /s->dx[input][at_x] = /' 'definition: not accumulated'
mutate layers/concat.c gradient 's|if (x.data != y.data)|if (0)|' 'nothing copied'
mutate layers/concat.c gradient 's/tx_channel_mask(step->machine, dx, &dy, NULL, TX_ACT_NONE);/tx_channel_mask(step->machine, \&(tx_gradient){dx->data, dx->ld, NULL, 0}, \&dy, NULL, TX_ACT_NONE);/' 'added gradient forgotten'
mutate layers/dropout.c elementwise 's/>= a->p;/< a->p;/' 'zeros and values exchanged'
mutate layers/dropout.c gradient 's/(float)(1 \/ (1 - a->p))/(float)(1 - a->p)/' 'scale turned round'
mutate layers/dropout.c gradient 's/s->dy\[i\] \/ (1 - a->p)/s->dy[i]/' 'definition: gradient without scale'

# ---- pooling, mean
mutate layers/pool.c reference 's/s->x\[0\]\[at\] > s->x\[0\]\[best\]/s->x[0][at] >= s->x[0][best]/' 'definition: the last of equals'
mutate layers/pool.c pool 's/(outputs - 1) \* a->stride >= left + before/(outputs - 1) * a->stride >= left + before + after/' 'ceil: a window in the padding'
mutate layers/pool.c pool 's/ + (a->ceil ? a->stride - 1 : 0)//' 'ceil: rounded down'
mutate layers/pool.c pool 's/ || isnan(s->x\[0\]\[at\])//' 'definition: NaN vanishes'
mutate layers/pool.c gradient 's/\[reference_argmax(s, i)\] += s->dy/[reference_argmax(s, i)] = s->dy/' 'definition: not accumulated'
mutate layers/pool.c ops 's/.top = p.top/.top = 0/' 'padding above forgotten'
mutate layers/pool.c pool 's/.bottom = p.bottom/.bottom = 0/' 'cropping below forgotten'
mutate layers/pool.c pool 's/left < 1 || left + before < 1/0/' 'windows of padding alone'
mutate core/kernels/channel.h pool 's/return (end < n + after ? end : n + after) - start;/return end - start;/' 'average: counts what hangs over'
mutate core/kernels/channel.h pool 's/if (place < 0 || i >= channel_side(n, after))/if (0)/' 'pooling: cropped pixels have a gradient'
mutate core/kernels/view.h elementwise 's/channel_gate(x, p \/ ((size_t)x->h \* (size_t)x->w))/channel_gate(x, 0)/' 'the first image'\''s gate for all'
mutate core/kernels/view.h conv2d 's/view_gate(gate + c, out, in, n);/view_gate(gate, out, in, n);/' 'gates of other channels'
mutate core/kernels/view.h conv2d 's/view_gate(gate + c, out, out, n);/view_gate(gate, out, out, n);/' 'gates of other channels, behind an activation'
mutate core/kernels/gemm.h core_gemm 's/y->ld + column, 0, 1, columns);$/y->ld, 0, 1, columns);/' 'curved activation: of the first columns'
mutate core/kernels/gemm.h core_gemm 's/view_act(y->act, c, ld, rows, columns);/view_act(y->act, c, ld, 1, columns);/' 'curved activation: of the first row'
mutate core/kernels/gemm.h core_gemm 's/x + first->x < 0 || y + first->y < 0/y + first->y < 0/' 'lines of the map: left of it'
mutate core/kernels/tile.h core_gemm 's/add += end->add_ld;/add += 0;/' 'a tile in registers: the addend of the first row'
mutate core/gemm.c conv2d 's/a->tap\[k\].x != a->tap->x + k % across || //' 'lines of the map: taps that are no neighbours'
mutate core/kernels/gemm.h conv2d 's/(size_t)(place->image - x->data) \/ image) : NULL/0) : NULL/' 'products: the first image'\''s gate'
mutate core/gemm.c conv2d 's/    job.a_row = row;//' 'both gradients: rows of the first chunk'
mutate layers/mean.c reference 's/\/ (double)area;/\/ (double)(area + 1);/' 'definition: area'
mutate layers/mean.c ops 's/\/ (float)area;/\/ (float)(area + 1);/' 'gradient: area'
mutate layers/mean.c gradient 's/dx.add ? dx.add + area \* dx.add_ld : NULL/dx.add/' 'added gradient of the first image'

# ---- linear layer, losses
mutate layers/linear.c reference 's/s->param\[WEIGHT\]\[i \* z.out + o\];/s->param[WEIGHT][o * z.in + i];/' 'definition: weight transposed'
mutate layers/linear.c gradient 's/s->dparam\[BIAS\]\[o\] += dy;/s->dparam[BIAS][o] = dy;/' 'definition: bias gradient not accumulated'
mutate layers/linear.c ops 's/fused_target(step, step->param\[BIAS\], NULL)/fused_target(step, NULL, NULL)/' 'bias forgotten'
mutate layers/linear.c ops 's/.row_step = 1, .n = (int)z.in/.row_step = z.out, .n = (int)z.in/' 'gradient: weight not transposed'
mutate layers/bce.c ops 's/(x > 0 ? x : 0) + tx_log1p/(x < 0 ? x : 0) + tx_log1p/' 'softplus: the wrong half'
mutate layers/bce.c ops 's/return (1 - t) \* tx_logistic(x) - p/return (1 - t) * tx_logistic(x) + p/' 'gradient: sign of the positive part'
mutate layers/bce.c ops 's/count += value(step, 2, p, c);/count += 1;/' 'mean over all entries, masked or not'
mutate layers/bce.c reference 's/count += reference_mask(s, i);/count += 1;/' 'definition: mean over all entries'
mutate layers/bce.c ops 's/if (m != 0)/if (m == 0)/' 'mask inverted in the gradient'
mutate layers/bce.c ops 's/count > 0 ? (float)(sum \/ count) : 0/(float)(sum \/ count)/' 'no entry counts: 0 divided by 0'
mutate layers/cross_entropy.c ops 's/return max + tx_log(sum);/return tx_log(sum);/' 'logarithm of the sum without its largest term'
mutate layers/cross_entropy.c ops 's/(k == target ? 1 - a->smoothing : 0)/(k == target ? 1 : 0)/' 'smoothing in the gradient'
mutate layers/cross_entropy.c ops 's/- a->smoothing \/ classes \* sum/+ a->smoothing \/ classes * sum/' 'smoothing: sign'
mutate layers/cross_entropy.c losses 's/float add = dx->add ?/float add = 0 ?/' 'added gradient forgotten'

# ---- kernels along channels
mutate core/sizes.h stream 's/(uintptr_t)data % 64 == 0/1/' 'lines that do not begin at one stored past the caches'
f=core/kernels/channel.h
mutate core/kernels/act.h ops 's/rectifies ? 0.0f : -INFINITY/0.0f/' 'everything rectified'
mutate core/kernels/view.h gradient 's/v_fma(v_take(x->scale + j, n), z, v_take(x->shift + j, n))/v_mul(v_take(x->scale + j, n), z)/' 'views without shift'
mutate core/kernels/act.h ops 's/kernel_between(y, 0, 6, g) : v_select(v_gt(y, v_zero()), g, v_zero())/kernel_between(y, 0, 6, g) : v_select(v_gt(y, v_zero()), v_zero(), g)/' 'mask inverted'
mutate $f gradient 's/g = v_add(v_take(dx->add + p \* dx->add_ld + j, c - j), g);/g = v_take(dx->add + p * dx->add_ld + j, c - j);/' 'masked gradient not added'
mutate core/simd/simd.h ops 's/return n < 16 ? v_load_n(p, (int)n) : v_load(p);/return n < 16 ? v_load_n(p, (int)n - (n > 4)) : v_load(p);/' 'tail one channel short'
mutate $f ops 's/square = v_fma(d, d, square);/square = v_add(d, square);/' 'variance: not squared'
mutate $f ops 's/moment = v_fma(g, v_sub(value, centre), moment);/moment = v_fma(g, value, moment);/' 'moments not about the mean'
mutate $f net 's/moment1 = v_fma(g1, v_sub(value1, centre1), moment1);/moment1 = v_fma(g1, v_sub(value0, centre1), moment1);/' 'moments of the second sixteen channels'
mutate $f net 's/square1 = v_fma(d1, d1, square1);/square1 = v_fma(d0, d1, square1);/' 'squares of the second sixteen channels'
mutate $f net 's/kernel_slope(act, v_fma(scale, data, shift), g)/kernel_slope(act, v_mul(scale, data), g)/' 'mask of batch norm without shift'
mutate $f ops 's/g = v_fnma(away, v_take(slope + j, n), v_sub/g = v_fma(away, v_take(slope + j, n), v_sub/' 'normal gradient: sign of the slope'
mutate $f gradient 's/dx->add ? v_fma(scale, g, v_take(dx->add + p \* dx->add_ld + j, n))/dx->add ? v_mul(scale, g)/' 'normal gradient: added gradient forgotten'
mutate $f ops 's/v_gt(z, all), m_not/v_ge(z, all), m_not/' 'pooling: the last of equals'
mutate $f ops 's/n - start < kernel ? n - start : kernel/kernel/' 'pooling: windows beyond the edge'
mutate $f ops 's/(reach + stride - 1) \/ stride/reach \/ stride/' 'pooling gradient: first window'
mutate $f plan 's/m_not(v_eq(z, z))/v_gt(z, z)/' 'pooling: NaN vanishes'

# ---- matrix products
f=core/kernels/gemm.h
mutate $f core_gemm 's/v = v_add(v, bias);/v = v_sub(v, bias);/' 'sign of the bias'
mutate $f core_gemm 's/v_put(y->data + pixel\[r\] \* y->ld + at, kernel_clamp(bounds, v), n);/v_put(y->data + pixel[r] * y->ld + at, v, n);/' 'activation forgotten'
mutate $f gradient 's/v = v_add(v, v_take(y->add + pixel/v = (v_take(y->add + pixel/' 'sum replaced by what is added'
mutate $f core_gemm 's/v = v_fma(scale, v, shift);/v = v_add(v_mul(scale, v), shift);/' 'folding: rounded twice'
mutate core/kernels/tile.h ops 's/= v_add(acc\[i\]\[j\], bias)/= v_sub(acc[i][j], bias)/' 'a tile in registers: sign of the bias'
mutate core/kernels/tile.h gradient 's/v_fma(scale, acc\[i\]\[j\], shift)/v_add(acc[i][j], shift)/' 'a tile in registers: not scaled'
mutate core/kernels/tile.h graph_plan 's/v_fma(scale, acc\[i\]\[j\], shift)/v_add(v_mul(scale, acc[i][j]), shift)/' 'a tile in registers: folding rounded twice'
mutate core/kernels/tile.h gradient 's/v_min(ceiling, v_max(floor, acc\[i\]\[j\]))/acc[i][j]/' 'a tile in registers: activation forgotten'
mutate $f net 's/k0 ? TILE_RESUME : TILE_ZERO/TILE_ZERO/' 'second block of k does not resume'
mutate $f ops 's/gy \* (size_t)y->step_y + (size_t)y->offset_y/gy * (size_t)y->step_y/' 'row offset of a target'
mutate $f net 's/add ? TILE_ADD : TILE_ZERO/TILE_ZERO/' 'chunks of a gradient not added'
mutate core/channel.c net 's/ + (double)k \* (off \* off);/;/' 'variance: chunk means that differ'
mutate core/channel.c net 's/min_size(pass->chunks \* pass->slices, (i + 1) \* pass->group)/min_size(pass->chunks * pass->slices - 1, (i + 1) * pass->group)/' 'sums: not the last slice'
mutate core/kernels/gemm.h ops 's/to + TILE_M < end; to += TILE_M, from += ld/to < end; to += TILE_M, from += ld/' 'eights reach into the next tile'
mutate core/channel.c net 's/result\[kind\]\[j\] += (double)pass->partial/result[kind][j] = (double)pass->partial/' 'sums: only the last chunk'

# ---- Winograd's algorithm
f=core/kernels/winograd.h
mutate $f net 's/v_fnma(s, d\[3\], d\[5\])/v_fma(s, d[3], d[5])/' 'input transform: sign'
mutate $f net 's/odd = v_fnma(other, d\[1\], d\[3\])/odd = v_fnma(other, d[3], d[1])/' 'input transform: rows exchanged'
mutate $f net 's/v_fma(v_set1(WINOGRAD_A3), a, m\[5\])/v_mul(v_set1(WINOGRAD_A3), a)/' 'output transform: point at infinity'
mutate $f net 's/#define WINOGRAD_GB1 ((float)(64.0/#define WINOGRAD_GB1 ((float)(63.0/' 'weight transform: an entry'
mutate $f net 's/g\[1\] = v_fma(v_set1(WINOGRAD_GA1), da/g[1] = v_fma(v_set1(WINOGRAD_GA1), sa/' 'weight gradient: difference for sum'
mutate $f net 's/\*second = y\[3\];/*second = y[2];/' 'weight gradient: point at infinity'

# ---- plans, sessions and their machine
f=core/plan_wanted.c
mutate $f session 's/int trains = node->wanted || /int trains = /' 'kept nodes behind frozen parameters have no gradient'
mutate $f session 's/role == TX_ROLE_TRAINED \&\& !plan->frozen\[param\]/role == TX_ROLE_TRAINED/' 'nothing is frozen'
mutate $f session 's/return plan->parameters \&\& /return /' 'gradients of parameters that nobody asks for'
mutate $f session 's/node->op->backward \&\& has_trained(plan, node)/node->op->backward != NULL/' 'what serves nobody runs backward'
mutate core/plan_backward.c session 's/    if (tx_plan_node(plan, last)->wanted)/    if (0)/' 'the last node is kept, its gradient is not'
f=core/plan.c
mutate $f session 's/int fits = plan \&\& plan->bytes <= allowed;/int fits = plan \&\& plan->bytes <= allowed + 64;/' 'a budget exceeded'
mutate $f session 's/if (plan \&\& plan->bytes < \*least)/if (plan)/' 'not the least memory'
f=core/plan_recompute.c
mutate $f graph_memory 's/ \&\& row <= room + plan->thrift.more \* bytes;/;/' 'no value of a chain is kept'
mutate $f session 's/k < tx_plan_node(plan, i)->inputs \&\& plan->node\[i\].recomputed; k++/k < 0; k++/' 'what is made again reads what is gone'
mutate $f session 's/if (x \&\& p->recomputed \&\& p->recomputed < first)/if (0)/' 'made again after it is read by what is made again'
f=core/session.c
mutate $f session 's/(all || !tx_plan_trains(s->plan, node, k))/all/' 'frozen parameters keep old gradients'
mutate $f session 's/    status = run_forward(s, j, 1);/    status = run_forward(s, j, 0);/' 'made again with weights that were not prepared'
mutate $f session 's/for (int j = 0; j < s->plan->nodes \&\& status == TX_OK; j++)/for (int j = s->plan->nodes - 1; j >= 0 \&\& status == TX_OK; j--)/' 'made again in the wrong order'
mutate $f machine 's/tx_self_test()/TX_OK/' 'forward and backward do not look at the arithmetic'
mutate $f moments 's/    if (time < s->plan->nodes) {.*/    if (1) {/' 'statistics: taken again of what is made again'
f=core/plan_moments.c
mutate $f moments 's/return x.buffer != y.buffer || x.channel != y.channel + \*channel;/return 1;/' 'statistics: taken again of what a concatenation reads in place'
mutate $f bits 's/return x.buffer != y.buffer || x.channel != y.channel + \*channel;/return 0;/' 'statistics: not of what a concatenation copies'
mutate $f moments 's/values.channel < x.channel + (size_t)tx_plan_node(plan, i)->input\[0\]->c/values.channel <= x.channel + (size_t)tx_plan_node(plan, i)->input[0]->c/' 'statistics: of channels that no batch norm reads'
mutate $f moments 's/    tx_arena_touch(plan, beside, time);/    ;/' 'statistics: gone before they are read'
mutate core/kernels/channel.h gemm 's/mean\[j\] = v_div(mean\[j\], v_set1((float)pixels));/mean[j] = v_div(mean[j], v_set1(128));/' 'moments in a product: the last chunk'
mutate core/kernels/channel.h gemm 's/channel_moments_block(1, start + k, x->ld, pixels, c - k/channel_moments_block(1, start + k, x->ld, pixels, 16/' 'moments in a product: columns beside vectors'
mutate core/gemm.c gemm 's/job->task_rows = TX_CHUNK;/job->task_rows = 112;/' 'moments in a product: chunks of rows of another length'
mutate core/kernels/gemm.h gemm 's/size_t at = row \/ TX_CHUNK \* job->n + first;/size_t at = row \/ TX_CHUNK * job->n;/' 'moments in a product: blocks of columns'
mutate core/plan_slopes.c slopes 's/x->wanted || x->consumers != 1/x->wanted/' 'slopes: left although another reader needs x'"'"'s gradient'
mutate core/plan_slopes.c slopes 's/x->wanted || x->consumers/x->consumers/' 'slopes: left although the gradient is kept'
mutate core/plan_slopes.c slopes 's/p->workspace.no_slope ||/p->workspace.no_slope || 1 ||/' 'slopes: never left'
mutate core/plan_backward.c slopes 's/^            tx_arena_touch(plan, plan->node\[p->slope\].saved, time);/            ;/' 'slopes: coefficients are gone'
mutate core/session.c slopes 's/step->dy.x.act = norm->fused;/;/' 'slopes: without the activation'
mutate core/gemm.c gradients 's/both_weight(run, \&g, row, out, chunk > first, work)/both_weight(run, \&g, row, out, 0, work)/' 'both gradients: a chunk forgotten'
mutate core/gemm.c gradients 's/    input->in_place = run->dx->add != run->dx->data;/    input->in_place = 1;/' 'both gradients: partial sums over the addend'
mutate core/gemm.c gradients 's/        if (run->dx->data)$/        if (1)/' 'both gradients: of an input that nobody wants'
mutate core/gemm.c gradients 's/    return shared \&\& n > x->c;/    return n > x->c;/' 'both gradients: threads without work'
mutate core/plan_sums.c graph_sums 's/return times == 1 \&\& node->input\[0\]->index == v ? i : -1;/continue;/' 'sums: never taken'
mutate core/plan_sums.c graph_sums 's/^    for (int i = v + 1; i < plan->nodes; i++) {/    for (int i = plan->nodes - 1; i > v; i--) {/' 'sums: taken before all is added'
mutate core/plan_sums.c graph_sums 's/tx_arena_touch(plan, norm->sums, tx_backward_time(plan, i));/;/' 'sums: gone before they are read'
mutate core/plan_recompute.c graph_random 's/^    tx_arena_touch(plan, p->saved, time);/    ;/' 'values made again: coefficients are gone'
mutate core/plan_views.c graph_random 's/is_plain(x) \&\& act == TX_ACT_RELU \&\& x->rectified/is_plain(x) \&\& x->rectified/' 'views: what a rectifier leaves, another activation does not'
mutate core/session.c graph_random 's/clear_gradients(session, i, !runs);/clear_gradients(session, i, 0);/' 'gradients of a dead branch: those of before'
mutate core/gemm.c conv2d 's/for (size_t first = row; first < row + rows; first += TX_CHUNK) {/for (size_t first = row; first < row + 1; first += TX_CHUNK) {/' 'sums: of every second chunk'
mutate core/parallel.c gemm 's/return run_parallel(machine->threads, n/return run_parallel(tx_threads(), n/' 'loops with the threads of the moment'
mutate core/parallel.c core_threads 's/.next = n \/ many \* k + n % many \* k \/ many/.next = n \/ many * k/' 'loop: ranges that overlap'
mutate core/parallel.c core_threads 's/(worker + k) % n/(worker + k) % (n - (n > 8))/' 'loop: a range that nobody takes'
mutate core/gemm.c machine 's/.kernels = machine->kernels, .work = work};/.kernels = tx_machine_now().kernels, .work = work};/' 'products by the instruction set of the moment'
mutate core/winograd.c machine 's/pack_run run = {machine->kernels/pack_run run = {tx_machine_now().kernels/' 'weights packed for the instruction set of the moment'
mutate core/self_test.c machine 's/if (tiny_f \* 0.5f == 0.0f)/if (tiny_f * 0.5f != 0x1p-127f)/' 'operands flushed to zero'
mutate core/self_test.c machine 's/-one_f - 0x1p-25f != -1.0f || one_f + 0x1.8p-24f != 1.0f + 0x1p-23f/0/' 'rounded towards zero'

# ---- wrong arguments, and calls out of order
f=core/session.c
mutate $f library_calls 's/tx_status status = tx_weights_filled(weights);/tx_status status = TX_OK;/' 'weights that nobody has filled'
mutate $f library_calls 's/if (s->state != RUN_FORWARD)/if (0)/' 'backward twice'
mutate $f library_calls 's/if (s->prepared != s->weights->version)/if (0)/' 'other weights between forward and backward'
mutate $f library_calls 's/    if (n != session->n)/    if (0)/' 'another batch between forward and backward'
mutate $f library_calls 's/if (p \&\& input->op != &tx_op_input)/if (0)/' 'inputs that are none'
mutate $f session 's/weights->total > weights->trained)/0)/' 'running statistics move, other sessions are not told'
mutate $f session 's/    session->run = session->next_run;/    session->run = 0;/' 'drop-out knows no runs'
mutate $f session 's/step->run = s->run;/step->run = s->next_run;/' 'another run between forward and backward'
f=core/weights.c
mutate $f library_calls 's/strcmp(a->name, b->name) == 0/1/' 'weights of another network, by name'
mutate $f library_calls 's/        same = a->shape\[i\] == b->shape\[i\];/        same = 1;/' 'weights of another network, by shape'
mutate core/plan.c library_calls 's/\.kept = tx_plan_node(plan, i)->wanted,/.kept = 1,/' 'every node counts as kept'
mutate core/graph.c library_calls 's/\*count > most/0/' 'sizes beyond reason'
mutate core/error.c library_calls 's/    if (!follows)/    if (1)/' 'a chain of calls forgets what came first'
mutate optim/train_step.c library_calls 's/optimizer->weights != tx_session_weights(session)/0/' 'an optimiser of other weights'

# ---- updates and schedules
f=core/kernels/update.h
mutate $f update 's/v_sub(weight, v_mul(lr, d))/v_add(weight, v_mul(lr, d))/' 'SGD: uphill'
mutate $f update 's/if (!s->first)/if (1)/' 'SGD: the first step is damped'
mutate $f update 's/s->nesterov ? v_add(d, v_mul(momentum, b)) : b/b/' 'SGD: Nesterov'
mutate $f update 's/v_mul(gain, d)/d/' 'SGD: dampening'
mutate $f update 's/v_add(g, v_mul(v_set1(decay), w))/v_sub(g, v_mul(v_set1(decay), w))/' 'weight decay: sign'
mutate $f update 's/v_mul(square_gain, v_mul(d, d))/v_mul(square_gain, d)/' 'Adam: not squared'
mutate $f update 's/v_add(v_div(v_sqrt(v), correction), eps)/v_div(v_sqrt(v_add(v, eps)), correction)/' 'Adam: eps in the root'
mutate $f update 's/v_add(v_div(v_sqrt(v), correction), eps)/v_div(v_add(v_sqrt(v), eps), correction)/' 'Adam: eps before the correction'
mutate $f update 's/v_mul(keep, v_take(w + i, n - i))/v_take(w + i, n - i)/' 'AdamW: no decay'
mutate $f update 's/v_add(v_sqrt(spread), eps)/v_sqrt(v_add(spread, eps))/' 'RMSprop: eps in the root'
mutate $f update 's/v_sub(v, v_mul(u, u))/v/' 'RMSprop: not centred'
mutate $f update 's/v_max(v_zero(), v_sub(v, v_mul(u, u)))/v_sub(v, v_mul(u, u))/' 'RMSprop: the root of less than nothing'
mutate $f update 's/d = v_add(v_mul(momentum, v_take(buffer + i, n - i)), d);/;/' 'RMSprop: no momentum'
mutate optim/rmsprop.c reference 's/(1 - a->alpha) \* d \* d/(1 - a->alpha) * d/' 'RMSprop, definition: not squared'
mutate optim/rmsprop.c update 's/o->state\[1 + momentum\]/o->state[1]/' 'RMSprop: mean and buffer are one'
mutate core/simd/simd.h update 's/v_store_n(p, (int)n, x);/v_store_n(p, (int)n - (n > 1), x);/' 'last element of a tail'
f=optim/adam.c
mutate $f update 's/lr \/ (1 - tx_whole_power(a->beta1, o->steps))/lr/' 'no correction of the mean'
mutate $f update 's/(float)sqrt(1 - tx_whole_power(a->beta2, o->steps))/1/' 'no correction of the square'
mutate $f ops 's/.mean_gain = (float)(1 - a->beta1)/.mean_gain = (float)a->beta1/' 'beta1 turned round'
mutate $f reference 's/(sqrt(\*v \/ second) + a->eps)/sqrt(*v \/ second + a->eps)/' 'definition: eps in the root'
mutate $f reference 's/w\[i\] -= lr \* a->weight_decay \* w\[i\];/d += a->weight_decay * w[i];/' 'definition: AdamW as Adam'
f=optim/sgd.c
mutate $f ops 's/.first = o->steps == 1/.first = 0/' 'the first step is no first step'
mutate $f reference 's/step == 1 ? d : /step == 0 ? d : /' 'definition: the first step'
f=optim/optimizer.c
mutate $f update 's/p->role != TX_ROLE_TRAINED || o->frozen\[i\]/p->role != TX_ROLE_TRAINED/' 'frozen parameters move'
mutate $f update 's/left -= more;/left -= more - 1;/' 'stretches overlap'
mutate $f update 's/    tx_weights_changed(optimizer->weights);//' 'sessions are not told'
f=optim/schedule.c
mutate $f schedule 's/(double)(step + 1) \/ (double)schedule->warmup/(double)step \/ (double)schedule->warmup/' 'warm-up begins at 0'
mutate $f schedule 's/1 + tx_cos_pi(done)/1 - tx_cos_pi(done)/' 'cosine upwards'
mutate $f schedule 's/uint64_t one = total \/ 3 + (total % 3 != 0)/uint64_t one = total \/ 2/' 'step decay by halves'
mutate $f schedule 's/ + (total % 3 != 0)//' 'step decay: thirds rounded down'
mutate $f schedule 's/two = total - total \/ 3/two = 2 * (total \/ 3)/' 'step decay: two thirds rounded down'
mutate $f schedule 's/thirds(step, s->total)/thirds(step - s->warmup, s->total - s->warmup)/' 'step decay: thirds counted from the end of the warm-up'
mutate $f schedule 's/? step \/ s->step_every/? (step - s->warmup) \/ s->step_every/' 'step decay: distances counted from the end of the warm-up'
mutate $f schedule 's/exponent >>= 1, base \*= base/exponent >>= 1/' 'powers'
mutate optim/train_step.c plan 's/if (!isfinite(value))/if (0)/' 'a loss that is not finite is taken'

# ---- files
f=io/jpeg.c
mutate io/jpeg_colour.c odd 's/if (d->rgb)/if (d->adobe ? d->transform == 0 : d->rgb)/' 'colours by a marker behind the first scan'
mutate $f io_jpeg 's/d->scans++ == 0) {/d->scans++ >= 0) {/' 'memory taken at every scan'
mutate $f odd 's/d->progressive || d->in_scan < d->components/d->progressive/' 'sequential scans are not gathered'
mutate $f odd 's/if (c->scans++ == 0) {/c->scans++; {/' 'the last quantisation table counts'
mutate $f io_jpeg 's/d->components != 3 || d->jfif/d->components != 3/' 'JFIF says nothing'
mutate $f io_jpeg 's/return d->transform == 0;/return d->transform != 1;/' 'unknown Adobe transforms are RGB'
mutate $f io_jpeg 's/d->progressive ? NULL : tx_jpeg_standard/d->restart_interval ? NULL : tx_jpeg_standard/' 'tables for progressive files'
mutate $f odd 's/!t->defined \&\& standard/standard/' 'the standard tables win'
mutate $f io_jpeg 's/if (d->walked > limit)/if (0)/' 'unbounded work'
mutate $f io_jpeg 's/if (!c->scans)/if (0)/' 'a component without a scan'
mutate $f io_jpeg 's/if (d->high \&\& c->precision/if (0 \&\& c->precision/' 'bits out of turn'
mutate io/jpeg_standard.c io_jpeg 's/0x23, 0x42, 0xb1, 0xc1/0x42, 0x23, 0xb1, 0xc1/' 'two symbols exchanged'
mutate io/jpeg_huffman.c odd 's/if (d->gathered \&\& inside)/if (d->progressive \&\& inside)/' 'gathered blocks are dropped'
f=io/inflate.c
mutate $f inflate 's/if (left > 0 \&\& !(lone \&\& longest <= 1))/if (0)/' 'codes that leave codes unused'
mutate $f inflate 's/if (distance > s->made)/if (0)/' 'repetitions before the data'
mutate $f inflate 's/(s->n - s->padding) \/ 8;/s->n \/ 8;/' 'bytes given back that were never there'
mutate $f inflate 's/s->fixed = 0;//' 'fixed codes after others'
mutate $f inflate 's/by < 2 ? 0 : by \/ 2 - 1/by \/ 2/' 'bits of a distance'
mutate $f inflate 's/length < fits ? length : fits/length/' 'stored bytes without bounds'
mutate $f inflate 's/return s->padding > s->n;/return 0;/' 'zeros behind the end are data'
mutate io/crc32.c inflate 's/table\[3\]\[p\[4\]\]/table[4][p[4]]/' 'a byte in a wrong place'
f=bench/ranking.c
mutate $f bench_ranking 's/tx_exp((double)logit\[i\] - most) \/ sum/tx_exp((double)logit[i]) \/ sum/' 'softmax of logits that are large'
mutate $f bench_ranking 's/value\[a\] > value\[b\] ||/value[a] >= value[b] ||/' 'equal outputs, the last first'
mutate $f bench_ranking 's/        if (at == k)/        if (at >= count \&\& count)/' 'the largest so far alone'
mutate bench/command_predict.c bench_ranking 's/classes == 1000 || classes == 1001/classes == 1001/' 'ImageNet by sigmoids'
f=io/png.c
mutate $f io_png 's/if (sum != wanted)/if (0)/' 'chunks without their CRC'
mutate $f pixels 's/return p <= q \&\& p <= r ? left/return p <= q \&\& p < r ? left/' 'ties of Paeth'
mutate $f pixels 's/row\[i - step\] + above\[i\]) \/ 2/row[i - step] + above[i] + 1) \/ 2/' 'means rounded up'
mutate $f io_png 's/\* 255 + 32895) >> 16/* 255 + 32767) >> 16/' 'samples of 16 bits'
mutate $f io_png 's/\*s >= d->colours/0/' 'colours beyond the palette'
mutate $f io_png 's/if (room > tx_inflate_most(d->data_bytes))/if (0)/' 'memory for what cannot be there'
mutate $f io_png 's/d->data_end != c->begin - 8/0/' 'image data in two places'
mutate $f pixels 's/{1, 0, 2, 2}/{0, 1, 2, 2}/' 'Adam7'
mutate $f io_png 's/n = n < length ? 0 : n - length;//' 'the byte of a fault in a later chunk'
f=io/pnm.c
mutate $f io_pnm 's/c == .0. ? 255 : 0;/c == 0 ? 0 : 255;/' 'black and white in text'
mutate $f io_pnm 's/value > d->most ? 255 : //' 'samples above the largest'
mutate $f io_pnm 's/if (size - d.at < least)/if (0)/' 'bytes that are not there'
mutate $f io_pnm 's/ \&\& d->bytes\[d->at\] != .\\r.)/)/' 'a comment ends at CR'
f=io/augment.c
mutate $f augment 's/b \* dx + a \* dy, 2 \* a,/a * dy - b * dx, 2 * a,/' 'rows that are turned the other way'
mutate $f augment 's/tx_cos_pi(degrees \/ 180) \* unit/tx_cos_pi(degrees \/ 180) \/ factor * unit/' 'scaled twice'
mutate $f augment 's/x < image->width - 1 \&\& y < image->height - 1;/x < image->width \&\& y < image->height;/' 'pixels beyond the edge'
mutate $f augment 's/(2 \* sum + n) \/ (2 \* n)/sum \/ n/' 'mean grey rounded down'
mutate $f augment 's/DRAWS \* (uint64_t)i + k/k/' 'all images are changed alike'
mutate $f augment 's/TX_RANDOM_AUGMENT, epoch,/TX_RANDOM_AUGMENT, 0,/' 'all epochs are alike'
mutate io/loader.c augment 's/!o->training || !tx_augment_any/!tx_augment_any/' 'what is not trained on is changed'
mutate io/preprocess.c augment 's/how->shorter \&\& !how->stretch ? how->shorter : size/size/' 'the shorter side is the size'
f=io/signature.c
mutate $f io_signature 's/stands(bytes, size, 128, "DICM.2.0", 6)/stands(bytes, size, 128, "DICM", 4)/' 'letters in a table are DICOM'
mutate $f io_signature 's/is = next < size \&\& (is_digit(bytes.next.)/is = 1 || (is_digit(bytes[next])/' 'a table is a PNM'
mutate io/csv.c io_signature 's/if (fill(csv, LOOK) \&\& tx_file_looks/if (fill(csv, LOOK) \&\& 0 \&\& tx_file_looks/' 'anything is a table'
mutate io/safetensors.c io_signature 's/begin == 0 || (lies/(lies/' 'an empty file is cut off'
mutate io/zip.c io_zip 's/zip->entry\[i + 1\].begin : limit/limit : limit/' 'entries may share bytes'
mutate io/zip.c io_zip 's/e->crc == 0 || e->crc == crc/e->crc == 0 || e->crc != crc/' 'zip: CRC-32 the other way round'
mutate io/pickle.c io_pickle 's/called \&\& !p->source->callable(name)/0 \&\& !p->source->callable(name)/' 'any global may be called'
mutate io/pickle.c io_pickle 's/i > 255 + here(p)/i > UINT64_MAX - here(p)/' 'the memo has room for any number'
mutate io/torch_values.c io_torch 's/strcmp(global, plain\[i\]) == 0/strcmp(global, plain[i]) <= 0/' 'other globals may be called'
mutate io/torch.c io_torch 's/last >= elements - view.offset/last > elements - view.offset/' 'a tensor one element beyond its storage'
mutate io/torch.c io_torch 's/from -= at->stride\[d\] \* t->shape\[d\];/from -= at->stride[d];/' 'strided: the way back along a side'
mutate io/torch_names.c io_torch 's/"_non_persistent_buffers_set"/"_non_persistent"/' 'buffers that are not persistent are tensors'
f=io/checkpoint.c
mutate $f io_checkpoint 's/ ? 0 : -FLT_MAX/ ? -FLT_MAX : -FLT_MAX/' 'negative variances'
mutate $f io_checkpoint 's/ \&\& value\[i\] <= FLT_MAX//' 'infinity'
mutate $f io_checkpoint 's/value\[i\] >= least/value[i] > least/' 'a variance of 0 is refused'
mutate $f io_checkpoint 's/whole ? \*counter >= 0/whole ? 1/' 'negative counters'
mutate $f io_checkpoint 's/index\[d\] = i % t->shape\[d\]/index[d] = i % t->shape[0]/' 'place in a tensor'

# ---- images that change, checksums, quotas
f=io/loader.c
mutate $f io_loader 's/ && seen\[i\] != now/ \&\& 0/' 'another image than before is taken'
mutate $f io_loader 's/        seen\[i\] = now;/        ;/' 'what was seen is not noted'
mutate $f io_loader 's/now = s->status ? TX_IMAGE_BAD : /now = /' 'a bad image is noted as its bytes'
mutate $f io_loader 's/    if (bad \&\& !loader->options.skip_bad)/    if (seen \&\& bad) seen[i] = now;\n&/' 'an image that is an error is noted as bad'
mutate $f io_loader 's/    if (!s->read)/    if (!s->read \&\& !seen)/' 'a cached image is compared'
f=io/preprocess.c
mutate $f io_loader 's/red ? p\[0\] : //' 'xrv: grey is not the red'
mutate io/loader_private.h io_loader 's/+ (1U << 15)) >> 16/) >> 16/' 'luma is cut, not rounded'
mutate $f io_limits 's/(2 \* ((float)v \/ 255) - 1) \* 1024/(float)(v \/ 255.0 * 2048 - 1024)/' 'xrv: other roundings'
mutate $f io_loader 's/channels == 1 \&\& !one_for_all(&how->normalize)/0/' 'three means for one channel'
mutate bench/model.c bench_foreign 's/    if (tx_net_channels(choice) == 1)/    if (0)/' 'files of one channel are normalised as ImageNet'
mutate bench/recognise.c bench_foreign 's/        choice->channels = first->shape.1. == 1 ? 1 : 3;/        choice->channels = 3;/' 'networks of one channel are not found by their tensors'
mutate nets/registry.c build 's/image->c != 3 \&\& image->c != 1/image->c == 2/' 'any number of channels but two'
f=bench/xrv.c
mutate $f bench_foreign 's/        return 0.5F;/        return p;/' 'op_norm: a task without a threshold is as it is'
mutate $f bench_foreign 's/1 - (1 - p) \/ ((1 - t) \* 2)/p \/ (t * 2)/' 'op_norm: one line alone'
mutate $f bench_foreign 's/p < t || t >= 1 ?/p < t ?/' 'op_norm: a threshold of 1'
mutate $f bench_foreign 's/ \&\& t)$/ \&\& t \&\& !p)/' 'op_threshs of a file whose name tells others are not read'
mutate $f bench_foreign 's/p \&\& p->gaps ? p->thresholds : NULL/NULL/' 'names of outputs that were not trained'
mutate bench/xrv.c bench_foreign 's/    if (own)$/    if (0)/' 'input_resolution of a module is not read'
mutate bench/xrv.c bench_foreign 's/    if (!t \&\& !p)$/    if (0)/' 'op_threshs that are an attribute are not read'
mutate bench/xrv.c bench_foreign 's/        if (strchr(name, .,.))/        if (0)/' 'a comma in a name'
mutate bench/model.c bench_foreign 's/if (strcmp(plain\[k\], brief) == 0)/if (0)/' 'Effusion is not Pleural Effusion'
mutate bench/outputs.c bench_foreign 's/c >= 0 \&\& m->threshold \&\& isnan(m->threshold\[c\])/0/' 'outputs that say nothing are scored'
mutate io/match.c bench_foreign 's/!used\[i\] \&\& !tx_checkpoint_passes_over.*$/!used[i])/' 'op_threshs are taken for weights'
f=core/checksum.c
mutate $f core_checksum 's/    if (left) {/    if (left > 1) {/' 'a single last byte'
mutate $f core_checksum 's/h = (uint64_t)bytes \* Q/h = Q/' 'the length'
mutate $f core_checksum 's/word(p + 8 \* i)/word(p + 7 * i)/' 'a word is read twice in part'
mutate $f core_checksum 's/lane\[LANES\] = {P, 2 \* P, 3 \* P, 4 \* P}/lane[LANES] = {P, P, P, P}/' 'lanes that begin alike'
f=core/quota.c
mutate $f core_quota 's/b > 0 \&\& (a <= 0 || b < a) ? b : a/b > 0 ? b : a/' 'the last quota instead of the least'
mutate $f core_quota 's/while (strlen(folder) > least)/while (0)/' 'groups above'
mutate $f core_quota 's/(\*rest == .\/. || !\*rest)/1/' 'groups whose names begin alike'
mutate $f core_quota 's/ \&\& !strstr(rest, "\/..")//' 'a group outside of the namespace'
mutate $f core_quota 's/h\[i\].contained ? h\[i\].within : h\[i\].elsewhere/h[i].within/' 'a mount under another name'
mutate $f core_quota 's/lesser(h->within, quota);/lesser(h->within, quota), h->contained = 0;/' 'a mount beside'
mutate $f core_quota 's/\*to = octal ? (char)code : \*p;/*to = *p;/' 'blanks in the mount point'
mutate $f core_quota 's/p\[n\] == .,. || !p\[n\]/1/' 'controllers whose names begin alike'
mutate $f core_quota 's/whole = line\[n\] == .\\n. \&\& !cut/whole = 1/' 'lines that are cut'

# ---- planning
mutate core/plan_cost.c cost 's/cost->products_backward += products \* gradients;/cost->products_backward += 2 * products;/' 'cost: a gradient that nobody wants'
mutate core/plan_cost.c cost 's/return bytes + dy + bytes_of(plan, p->result);/return bytes + dy;/' 'cost: what a gradient is applied with is not read'
mutate core/plan_cost.c cost 's/cost->bytes_backward = run_bytes(plan, node->index);/;/' 'cost: what is computed again is free'
mutate core/session.c cost 's/times\[j\].backward += /times[j].forward += 0 */' 'clock: what is computed again takes no time'
f=core/plan_backward.c
mutate $f gradient 's/ || !exclusive(plan, v)//' 'a shared gradient is overwritten'
mutate $f gradient 's/ || clashes(plan, i, v)//' 'a gradient is overwritten by what is made of it'
mutate $f gradient 's/p->dx_add\[k\] = input->reached ? old : tx_nowhere;/p->dx_add[k] = tx_nowhere;/' 'second contribution overwrites the first'
mutate $f plan 's/^            for (int k = 0; k < tx_plan_node(plan, i)->inputs; k++)$/            for (int k = 0; k < 0; k++)/' 'inputs of backward not kept alive'

f=core/plan_views.c
mutate $f graph_views 's/tx_plan_node(plan, p->result)->wanted || result->readers == 0/result->readers == 0/' 'a kept value is a view'
mutate $f gradient 's/x->act == TX_ACT_NONE \&\& !left/0/' 'a concatenation: rectifies what is negative'
mutate $f graph_views 's/x->act != act))/0))/' 'a concatenation: two activations'
mutate $f graph_views 's|return p->view ? TX_READS_VIEW : 0;|return 0;|' 'no concatenation is a view'
mutate $f gradient 's/if (!p->is_step || (node->op->kind == TX_SCALE/if ((node->op->kind == TX_SCALE/' 'a fused sum adds a view'
mutate $f gradient 's/node->op->kind == TX_SCALE \&\& k > 0/0/' 'a gate is a view'
mutate core/plan_place.c plan 's/if (plan->node\[i\].gate >= 0)/if (0)/' 'a gate dies before its reader'
mutate core/plan_forward.c graph_views 's/if (same == node->inputs)/if (0)/' 'flat dense blocks: each layer copies'
mutate layers/concat.c gradient 's/x->scale ? x->scale\[c\] : 1.0f/1.0f/' 'concatenated views: scales'

# ---- tables of images
f=io/dataset_cells.c
mutate $f io_tables 's/strcmp(text, "NA") == 0/strcmp(text, "Na") == 0/' 'table: NA is no blank'
mutate $f io_tables 's/: minus ? TX_CELL_UNCERTAIN/: 0 ? TX_CELL_UNCERTAIN/' 'table: -1 is 1'
f=io/dataset_uncertain.c
mutate $f io_tables 's/m > length/m > 0/' 'table: a shorter name is taken'
mutate $f io_tables 's/if (named\[t\])/if (0)/' 'table: a task is named twice'
mutate $f io_tables 's/r->uncertain\[t\] = rest/r->uncertain[t] = TX_UNCERTAIN_IGNORE/' 'table: the word for all others is forgotten'
f=io/dataset_paths.c
mutate $f io_tables 's/frontal == lateral ? TX_VIEW_UNKNOWN : //' 'table: a view where the name has none'
mutate $f io_tables "s/if (path\\[0\\] == '.')/if (0)/" 'table: absolute paths are looked for below the folder'
mutate $f io_tables 's/strstr(own, split) \&\& //' 'table: patients of another split'
mutate $f io_tables 's/s->left > 0 ||/0 ||/' 'table: no place where no image is'
mutate $f io_tables 's/strcmp(split, "test") == 0 ? 2 : 1/2/' 'table: labels of other splits'
mutate $f io_tables 's/patient_end = folder - 1/patient_end = folder/' 'table: a slash in the name of a patient'
f=io/dataset_compare.c
mutate $f io_tables 's/d->counts\[task\].blank == d->images/0/' 'table: an empty column is one of negatives'
mutate $f io_tables 's/opposite \&\& label >= 0/opposite/' 'table: the opposite of nothing'
mutate $f io_tables 's/\&\& n->state == TX_TASK_BOTH//' 'table: columns of one class are twins'
mutate $f io_tables 's/strcmp(d->path\[slot\[at\] - 1\], path) != 0/0/' 'table: paths are told apart by their digest'
f=io/dataset_columns.c
mutate $f io_tables 's/label\[c\] |= cell < TX_CELL_BLANK/label[c] |= cell != TX_CELL_OTHER/' 'table: an empty column is a task'
mutate $f io_tables 's/nameless \&= r->column\[before\]\[0\] == 0/;/' 'table: any column without a name is an index'
mutate $f io_tables 's/(all \&\& !is_fixed/(!is_fixed/' 'table: columns passed over where tasks are named'
f=io/dataset.c
mutate $f io_tables 's/r->data->unknown_views += view == TX_VIEW_UNKNOWN/r->data->unknown_views++/' 'table: every view left out is unknown'
mutate io/dataset_text.c io_tables 's/name\[n\] == 0/1/' 'table: a name that begins another'

# ---- figures
f=bench/statistics.c
mutate $f bench_statistics 's/!isfinite(score\[i\])/isnan(score[i])/' 'figures: infinite scores'
mutate $f bench_statistics 's/a > 0 \&\& a < 1 \&\& half == 0/0/' 'figures: an interval of equal scores'
mutate $f bench_statistics 's/\[score\[i\] >= threshold\]/[score[i] > threshold]/' 'figures: the threshold itself is negative'
f=bench/bootstrap.c
mutate $f bench_bootstrap 's/s->tied || (negatives \&\& s->positives)/s->tied/' 'bootstrap: positives above others count as tied with what these are not'
mutate $f bench_bootstrap 's/2 \* negatives\[l\] + tied\[l\]/2 * negatives[l]/' 'bootstrap: ties count nothing'
mutate $f bench_bootstrap 's/(uint64_t)here\[l\] \*/here[l] */' 'bootstrap: pairs overflow'
mutate $f bench_bootstrap 's/first + l, i \/ 4, word/l, i \/ 4, word/' 'bootstrap: draws repeat after sixteen replicates'
mutate $f bench_bootstrap 's/double product = (double)(comparisons - smaller)/double product = (double)(n - smaller)/' 'Holm: undefined p values count'
mutate $f bench_bootstrap 's/(defined + 1)/defined/' 'bootstrap: p may be 0'
f=bench/intervals.c
mutate $f bench_scores 's/ \&\& !isnan(s->task\[k\].auc.auc)//' 'intervals: a mean with tasks that have no AUC'
mutate $f bench_scores 's/return !isnan(r->low);/return 1;/' 'intervals: of a class with one unit'
mutate bench/scores.c bench_scores 's/by_patient ? d->patient : d->study/d->study/' 'intervals: studies are drawn in the place of patients'
mutate bench/figures.c bench_figures 's/if (!figure_why(\&f->task\[k\]))/if (1)/' 'intervals: lost replicates of a task that has none'
f=bench/scores.c
mutate $f bench_figures 's/if (score > u->score\[unit\])/if (score < u->score[unit])/' 'figures: not the maximum over views'
mutate $f bench_figures 's/(p >= 0 \&\& p <= 1)/!(p < 0 || p > 1)/' 'figures: NaN among the probabilities'
mutate $f bench_figures 's/(present \&\& !present\[i \/ tasks\]) || //' 'figures: absent images are looked at'
mutate $f bench_figures 's/!isfinite(logits\[k\])/isnan(logits[k])/' 'figures: infinite outputs'
mutate $f bench_figures 's/mean_has(i, task) \&\& !isnan(auc)/mean_has(i, task)/' 'figures: means over what has no AUC'
mutate $f bench_figures 's/for (int i = 1; i < 3; i++)$/for (int i = 2; i < 3; i++)/' 'figures: chosen by mean, not by mean6'
mutate $f bench_figures 's/return -loss;/return loss;/' 'figures: the largest loss is the best'
mutate $f bench_figures 's/\*count += !seen\[group\[i\]\]/*count += 1/' 'figures: studies are images'
mutate $f bench_report 's/    for (size_t i = 0; seen \&\& i < images; i++)/    present = NULL; for (size_t i = 0; seen \&\& i < images; i++)/' 'figures: patients of absent images'
mutate $f check_figures 's/from->task\[k\].best.threshold/s->task[k].best.threshold/' 'figures: the threshold of the split itself'
f=bench/run_position.c
mutate $f bench_figures 's/return a > b || (isnan(b) \&\& !isnan(a));/return !(a <= b);/' 'figures: a score that is NaN ranks best'
mutate $f bench_figures 's/return a > b || (isnan(b) \&\& !isnan(a));/return a > b;/' 'figures: nothing goes before a score that is NaN'
f=bench/run.c
mutate $f bench_figures 's/score_better(score, at->best\[place - 1\].score)/!score_better(at->best[place - 1].score, score)/' 'figures: of equals the later'
f=bench/figures.c
mutate $f bench_figures 's/f->positives < FIGURE_FEW || f->negatives < FIGURE_FEW/f->positives < FIGURE_FEW/' 'figures: few negatives carry no mark'
mutate $f bench_figures 's/f->positives < FIGURE_FEW ||/f->positives <= FIGURE_FEW ||/' 'figures: ten are few'
mutate $f bench_figures 's/f->positives < 2 ? "1 positive"/f->negatives < 2 ? "1 positive"/' 'figures: one positive is one negative'
mutate $f bench_figures 's/r->step != step || r->test != test/r->test != test/' 'figures: rows of other steps'
mutate $f bench_figures 's/if (!means || (both \&\& i == 1))/if (!means)/' 'figures: twins of both splits are said twice'
mutate $f bench_figures 's/isnan(a->auc) || isnan(b->auc) ? NULL/0 ? NULL/' 'figures: counted twice where one has no AUC'
f=bench/table.c
mutate $f bench_table 's/(size_t)starts_character(\*text)/1/' 'table: bytes are characters'
mutate $f bench_table 's/sum + columns - 1 - TABLE_COLUMNS/sum + columns - 2 - TABLE_COLUMNS/' 'table: one column too wide'
mutate $f bench_table "s/t->align\\[at\\] == 'r' ? more : 0/0/" 'table: numbers to the left'
mutate $f bench_table 's/at > 2 \&\& at + 1 + width > TABLE_COLUMNS/at > 2 \&\& at + width > TABLE_COLUMNS/' 'notes: 81 columns'
f=bench/splits.c
mutate $f bench_report 's/\*count += order == 0/*count += order <= 0/' 'splits: patients of one split alone'
mutate $f bench_report 's/if (r->present\[i\] && !seen\[k\]++)/if (!seen[k]++)/' 'splits: patients of absent images'
mutate $f bench_report 's/r->present\[i\] && strcmp/strcmp/' 'splits: absent images that are alone'
mutate $f bench_report 's/split_of(field\[0\]) == split/1/' 'splits: images of other splits are left out'
mutate $f bench_report 's/count_shared(&r\[i\], \&r\[SPLIT_VALID\]/count_shared(\&r[i], \&r[SPLIT_TRAIN]/' 'splits: patients of valid'
f=bench/report.c
mutate $f bench_report 's/m->row\[i\].step != last/1/' 'report: evaluations are rows'
mutate $f bench_report 's/if (strcmp(f->mean\[i\].name, by) == 0)/if (i == 1)/' 'report: always mean6'
mutate bench/svg.c bench_report 's/\*x + width > WIDTH/0/' 'report: a legend beyond the picture'
f=bench/svg_labels.c
mutate $f bench_svg_scatter 's/if (!apart(b, &g->box\[k\], GAP \/ 2))/if (0)/' 'names beside points: they cover bars and points'
mutate $f bench_svg_scatter 's/label\[k\].placed \&\& !apart(b, &other, 2 \* GAP)/0/' 'names beside points: they cover each other'
mutate $f bench_svg_scatter 's/b->right > g->frame.right || b->top/b->top/' 'names beside points: they leave the frame'
mutate $f bench_svg_scatter 's/            return 0;$/            continue;/' 'names beside points: any place'
mutate $f bench_svg_scatter 's/label\[i\].led = label\[i\].placed \&\& has_length/label[i].led = 0 \&\& has_length/' 'names beside points: no line leads to them'
f=bench/svg_scatter.c
mutate $f bench_svg_scatter 's/(k == 0 || s->unplaced)/k == 0/' 'points: a chart that does not grow'
mutate $f bench_svg_scatter 's/xx += dx \* dx/xx += fabs(dx)/' 'points: the fitted line'
mutate $f bench_svg_scatter 's/return c->log_x ? tx_log/return 0 ? tx_log/' 'points: log x is x'
mutate $f bench_svg_scatter 's/s->point\[i\]->line == s->point\[i - 1\]->line/1/' 'points: lines of two numbers are joined'
mutate bench/svg_bars.c bench_svg_scatter 's/v < c->base ? v : c->base/c->base/' 'bars: below the base'
mutate bench/svg_scores.c bench_svg_scatter 's/c->positives\[at\] += s->label\[i\] > 0/c->positives[at] += s->label[i] >= 0/' 'ROC: all are positive'
mutate bench/svg_scores.c bench_svg_scatter 's/(1 + z \* z \/ n);$/1;/' 'calibration: the middle of the interval'
mutate bench/svg_axes.c bench_svg_scatter 's/if (middle - half < .taken)/if (0)/' 'axes: numbers cover each other'
f=bench/study_panels.c
mutate $f bench_study_panels 's/tx_bootstrap_compare(a->replicate, b->replicate/tx_bootstrap_compare(a->replicate, a->replicate/' 'panels: a paired deviation'
mutate $f bench_study_panels 's/m->pretrained == pretrained \&\& isfinite(m->auc)/isfinite(m->auc)/' 'panels: both initialisations in one picture'
mutate $f bench_study_panels 's/paired ? p->high : 0/0/' 'panels: pairs of two ranges'
mutate $f bench_study_panels 's/p->missing++ < LISTED/0/' 'panels: what is missing has no names'
mutate $f bench_study_panels 's/row->low\[pretrained\] = row->value\[pretrained\] - interval.sd/row->low[pretrained] = row->value[pretrained]/' 'panels: bars of means'
mutate bench/scores.c bench_study_results 's/if (score > u->score\[unit\])/if (isinf(u->score[unit]))/' 'study: the first view stands for all'
mutate bench/study_results.c bench_study_results 's/how->by_patient ? d->patients : d->units/d->units/' 'study: as many patients are drawn as there are studies'
mutate bench/study_results.c bench_study_results 's/f->auc \/ n : (double)NAN/f->auc : (double)NAN/' 'study: a sum for a mean'
mutate bench/study_tests.c bench_study_results 's/d->high >= 0 \&\& d->a->cut/d->a->cut/' 'study: any cut is none the worse'
mutate bench/study_tests.c bench_study_results 's/tx_holm(p, count, p + count);/memcpy(p + count, p, count * sizeof *p);/' 'study: p values without a correction'
mutate bench/study_sentences.c bench_study_page 's/mean->low > 0    ?/0 ?/' 'study page: nothing is better with pretraining'
mutate bench/study_sentences.c bench_study_page 's/if (r->data->scored == SPLIT_TEST)/if (1)/' 'study page: silent that valid chose'
mutate bench/study_sentences.c bench_study_page 's/if (twin < 0)/if (1)/' 'study page: silent about tasks that say the same'
mutate bench/study_sentences.c bench_study_page 's/if (!t->gains || isnan(mean->value))/if (!t->gains)/' 'study page: a gain in no AUC'
mutate bench/study_page_jobs.c bench_study_page 's/e->state != ENTRY_COMPLETE || !e->pretrained || is_told/!e->pretrained || is_told/' 'study page: sources of jobs that are not there'
mutate bench/html.c bench_study_page 's/<thead><tr>/<tr>/' 'page: heads do not repeat on paper'
f=bench/train_loop.c
mutate $f check_figures 's/t->diverged = status \&\& !isfinite(t->loss);/t->diverged = 0;/' 'diverged: a loss that is NaN is any error'
mutate $f check_figures 's/t->diverged = status == TX_ERR_ARGUMENT;/t->diverged = 0;/' 'diverged: an output that is NaN is any error'
mutate $f check_figures 's/last = at->best\[i\].step > last ? at->best\[i\].step : last;/last = 7;/' 'diverged: another checkpoint is named'
mutate $f check_figures 's/const run_best \*best = \&t->run.at.best\[0\];/const run_best *best = \&(run_best){t->run.at.step, 0};/' 'progress: the best is the last'

# ---- progress
f=io/progress.c
mutate $f io_progress 's/if (length > columns)/if (length > columns + 1)/' 'progress: one column too wide'
mutate $f io_progress 's/columns > 1 ? columns - 1 : 1/columns/' 'progress: the last column is written'
mutate $f io_progress 's/(!columns || (uint64_t)named < columns)/1/' 'progress: COLUMNS wins over a narrower terminal'
mutate $f io_progress 's/p->began += tx_seconds() - p->paused;//' 'progress: the clock goes on during other work'
mutate $f io_progress 's/if (p->drawn >= columns)$/if (0)/' 'progress: a narrower terminal'
mutate $f io_progress 's/seldom > REPEAT ? seldom : REPEAT/REPEAT/' 'progress: a line every ten seconds for ever'
mutate $f io_progress 's/ \&\& !(kind \&\& strcmp(kind, "dumb") == 0)//' 'progress: a dumb terminal'
mutate $f io_progress 's/p->done - p->first/p->done/' 'progress: what a resumed job had done counts'

# ---- what comes before a training, and what ends it
f=bench/startup.c
mutate $f check_start 's/while (got >= 0 \&\& got <= STDERR_FILENO);/while (0);/' 'begin: one closed descriptor is opened'
f=bench/signals.c
mutate $f bench_signals 's/ \&\& before.sa_handler != SIG_IGN//' 'begin: ignored signals are caught'
mutate $f bench_signals 's/ \&\& now.tv_sec - since > 1//' 'begin: a second signal at once ends the program'
mutate $f bench_signals 's/(which == SIGINT || which == SIGTERM) \&\& //' 'begin: a second SIGXCPU ends the program'
mutate $f bench_signals 's/SIGUSR2, SIGXCPU/SIGUSR2/' 'begin: SIGXCPU is not caught'
f=bench/effects.c
mutate $f check_effects 's/    return !same;/    return 1;/' 'begin: standard values of a file are meant'
mutate $f check_effects 's/: o->source\[i\] == FROM_LINE;/: option_given(o, e->option);/' 'begin: options of other commands in a file'
mutate bench/message.c check_effects 's/if (said.data \&\& strstr(said.data, known))/if (0)/' 'begin: said once is said again'
mutate bench/options_read.c check_effects 's/    met\[i\] = 1;//' 'begin: keys that stand twice'
f=bench/train_notes.c
mutate $f check_effects 's/if (warmup > t->total)/if (warmup >= t->total)/' 'begin: a warm-up as long as the run'
f=bench/images.c
mutate $f check_images 's/if (missing\[i\] \&\& l->missing++ == 0)/if (missing[i] \&\& l->missing++ >= 0)/' 'begin: the last missing image is named'
mutate $f check_images 's/from += AT_ONCE) {/from += AT_ONCE + 1) {/' 'begin: an image is passed over'
mutate $f check_images 's/if (l->missing - before == d->images/if (l->missing == d->images/' 'begin: all of one table are missing'
f=bench/train_loop.c
mutate $f check_images 's/t->seen\[SPLIT_TRAIN\]\[i\] > TX_IMAGE_BAD/t->seen[SPLIT_TRAIN][i] >= TX_IMAGE_BAD/' 'begin: bad images are read'
mutate $f check_images 's/    t->unread = status != TX_OK;/    t->unread = 0;/' 'begin: the state is not saved at a changed image'
mutate $f check_images 's/    t->unread = status == TX_ERR_FORMAT || status == TX_ERR_FILE;/    t->unread = 0;/' 'begin: nor in an evaluation'
mutate bench/train_finish.c check_images 's/return t->last\[SPLIT_TEST\] \&\& !t->job ?/return 0 ?/' 'begin: images of test are not noted'
mutate bench/scores.c check_images 's/p->images \&\& !p->read/0/' 'begin: scores of no image'
mutate io/dataset_paths.c check_images 's/s.found ? !s.there : NOT_KNOWN/s.found ? 0 : NOT_KNOWN/' 'begin: every image is there'

# ---- options together, extreme arguments, sizes at an edge
f=layers/conv2d.c
mutate layers/conv2d.h conv2d 's/a->ph <= 2 \&\&/a->ph <= 3 \&\&/' 'Winograd with a padding of 3'
mutate layers/conv2d.h conv2d 's/a->dlh == 1 && a->dlw == 1 \&\&/a->dlh == 1 \&\&/' 'Winograd with dilated rows'
mutate layers/conv2d.h conv2d 's/a->dlw == 1 && a->ph == a->pw \&\&/a->dlw == 1 \&\&/' 'Winograd with two paddings'
mutate layers/conv2d.h conv2d 's/a->sh == 1 && a->sw == 1 \&\&/a->sh == 1 \&\&/' 'Winograd with a stride along rows'
mutate $f conv2d 's/pick(args.dilation_w, args.dilation, 1)/pick(args.dilation_h, args.dilation, 1)/' 'dilation of rows for columns'
mutate $f conv2d 's/<= CHEAP_ROWS;/<= CHEAP_ROWS + 1;/' 'one term more is cheap'
mutate $f conv2d 's/(double)group_inputs(node) \* a->taps;/(double)group_inputs(node);/' 'initial bound without the taps'
mutate layers/batchnorm.c batchnorm 's/        args.eps = 1e-5;/        args.eps = 1e-3;/' 'default eps'
mutate layers/batchnorm.c batchnorm 's/a->momentum <= 1)/a->momentum < 1)/' 'momentum 1 refused'
mutate layers/pool.c pool 's/in_range(a->kernel, 1, LARGEST_KERNEL)/in_range(a->kernel, 1, LARGEST_KERNEL + 1)/' 'a kernel that a byte does not hold'
mutate layers/dropout.c elementwise 's/a->p <= 1))/a->p < 1))/' 'p = 1 refused'
mutate layers/bce.c losses 's/i == 1 ? "labels" : "mask"/i == 2 ? "labels" : "mask"/' 'the message names the other input'
mutate layers/bce.c losses 's/g = share \* m \* entry/g = share * entry/' 'weights of the mask in the gradient'
mutate layers/cross_entropy.c losses 's/target < classes \&\&/target <= classes \&\&/' 'a class behind the last'
mutate layers/cross_entropy.c losses 's/ && target == (int)target//' 'half a class'
f=core/elementary.c
mutate $f bounds 's/fabs(y) > 0x1p64/fabs(y) > 0x1p62/' 'pow: exponents that are still finite'
mutate $f bounds 's/if (l.high > 710)/if (l.high > 709)/' 'pow: infinite too early'
mutate $f bounds 's/if (l.high < -746)/if (l.high < -745)/' 'pow: 0 too early'
mutate $f bounds 's/if (!(x < 710))/if (!(x < 709))/' 'exp: infinite too early'
mutate $f bounds 's/if (x < -746)/if (x < -745)/' 'exp: 0 too early'
mutate $f bounds 's/89.0f < x ? 89.0f/88.0f < x ? 88.0f/' 'expf: clamped too early'
mutate $f bounds 's/-104.0f > x ? -104.0f/-103.0f > x ? -103.0f/' 'expf: clamped too late'
mutate $f bounds 's/float normal = x < 0x1p-126f ? /float normal = x < 0x1p-127f ? /' 'logf: subnormal arguments'
mutate $f bounds 's/((int)k + quarter) & 3/((int)k + quarter) \& 1/' 'half turns'
mutate $f bounds 's/int grows = (x > 1) == (y > 0)/int grows = (x > 1) == (y > 0.75)/' 'pow: what grows'

# ---- state of nodes, runs and sessions
mutate layers/dropout.c state 's/((uint64_t)node->ordinal << 32) + i/i/' 'one mask for all drop-outs'
mutate layers/dropout.c state 's/TX_RANDOM_DROPOUT, run, ((uint/TX_RANDOM_DROPOUT, 0, ((uint/' 'one mask for all runs'
mutate layers/dropout.c state 's/tx_random_uniform(seed, TX/tx_random_uniform(0, TX/' 'one mask for all seeds'
f=core/session.c
mutate $f state 's/|| session->prepared != weights->version;/|| !session->prepared;/' 'weights prepared once'
mutate $f plan 's/pointer_of(s, p->dx_add\[k\]), p->dx_add\[k\].ld}/pointer_of(s, p->dx_add[k]), p->dx[k].ld}/' 'accumulated gradient: distance of pixels'
mutate $f session 's/memset(s->weights->grad + p->offset, 0, p->count \* sizeof(float));/;/' 'gradients of what is not reached'
mutate core/plan_recompute.c state 's/for (int i = plan->nodes - 1; i >= 0; i--) {/for (int i = 0; i < plan->nodes; i++) {/' 'values made again: planned from the front'
mutate core/plan_recompute.c state 's/if (x \&\& p->recomputed \&\& p->recomputed < first)/if (0)/' 'values made again: readers that are made again'
mutate core/weights.c weights 's/task->weights->counter\[p->offset\] = 0/task->weights->counter[0] = 0/' 'one counter'
mutate core/weights.c weights 's/draw(p->init, task->seed, i, e)/draw(p->init, task->seed, 0, e)/' 'one stream for all parameters'
mutate core/weights.c state 's/weights->trained : 0);/weights->total - weights->trained : 0);/' 'buffers stand in trained parameters'
mutate core/weights.c weights 's/^    weights->version++;/;/' 'nobody is told of a change'
mutate core/plan_arena.c state 's/other->last < b->first)/other->last <= b->first)/' 'buffers that follow each other overlap in time'
mutate core/plan_arena.c state 's/offset + b->bytes)$/offset + b->bytes - 64)/' 'buffers overlap by a line'
mutate core/reference.c state 's/memset(reference->dparam\[i\], 0, .*/;/' 'definition: gradients of the run before'
f=core/plan_forward.c
mutate $f state 's/tx_arena_touch(plan, p->saved, tx_backward_time(plan, i));/tx_arena_touch(plan, p->saved, plan->nodes);/' 'what is saved dies before its step'
mutate $f gradient 's/^            tx_plan_touch(plan, p->add, i);/            ;/' 'what a sum adds dies on the way'
mutate $f state 's/slot->channel += channel;/slot->channel = channel;/' 'slices of slices'
mutate core/plan_fuse.c gradient 's/if (made >= 0 \&\& made < i) {/if (made < i) {/' 'a sum with what is made later'
mutate core/plan_fuse.c graph_plan 's/^    skip_idle(plan, i);//' 'plan: what does nothing in inference is a step'
f=core/plan_backward.c
mutate $f state 's/mine.channel += channel;/mine.channel = channel;/' 'gradients of slices of slices'
mutate $f gradient 's/if (p->fused == TX_ACT_NONE || exclusive(plan, p->result))/if (1)/' 'a shared gradient is masked in place'
mutate $f gradient 's/.done = !tx_plan_node(plan, p->result)->wanted;/.done = 1;/' 'the gradient of a kept node is given away'
mutate core/graph.c weights 's/if (graph \&\& graph->status == TX_OK) {/if (graph) {/' 'the last error stays'
mutate optim/optimizer.c update 's/lr < 0 ? optimizer->args.lr : lr/lr <= 0 ? optimizer->args.lr : lr/' 'a rate of 0 is the default'
mutate optim/train_step.c step 's/ || loss->c != 1)/)/' 'two numbers are a loss'
mutate optim/schedule.c schedule 's/step \/ s->step_every/(step - s->warmup) \/ s->step_every/' 'step decay counted from the end of the warm-up'
mutate optim/schedule.c schedule 's/if (step >= s->total)/if (step > s->total)/' 'cosine beyond the end of a warm-up'

# ---- networks
f=nets/resnet.c
mutate $f build 's/layer > 1 \&\& i == 0 ? 2 : 1/layer > 1 \&\& i == 1 ? 2 : 1/' 'stride in the second block'
mutate $f build 's/{1, {3, 4, 23, 3}}/{1, {3, 4, 22, 3}}/' 'a block too few'
mutate nets/blocks.c build 's/sqrt(2.0 \/ /sqrt(1.0 \/ /' 'initial deviation'
mutate nets/blocks.c build 's/.eps = args.eps/.eps = 1e-4/' 'eps of batch norms'
mutate core/graph.c graph_names 's/graph->scope\[graph->scopes\[--graph->depth\]\] = 0/--graph->depth/' 'a scope is not left'
mutate core/graph.c graph_names 's/dot = before > 0 \&\& length > 0/dot = before > 0/' 'an empty scope has a dot'
mutate io/match.c io_checkpoint 's/names->other \&\& !\*tensor; k++/names->other \&\& !*tensor \&\& k < 1; k++/' 'one other name alone'
mutate io/match.c io_checkpoint 's/used\[found\[i\] - first\] = 1/used[i] = 1/' 'which tensors are extra'
mutate io/match.c io_match 's/        w = (size_t)-1;.*$//' 'a wrapper within another'
mutate io/match.c io_match 's/        if (!all_begin(.*$/        if (0)/' 'a prefix that not all names have'
mutate io/match.c io_match 's/    if (fit != 1)/    if (fit == 0)/' 'a last layer where two would fit'
mutate io/match.c io_match 's/t->shape\[1\] != (size_t)tx_graph_param(graph, head)->shape\[1\]/0/' 'a last layer with other features'
mutate io/match.c io_match 's/same <= 0/0/' 'partial: nothing matches'
mutate io/checkpoint.c io_match 's/        } else if (!t) {/        } else if (0) {/' 'partial: what is missing is read'
mutate nets/registry.c build 's/image->w < net->smallest || //' 'a narrow image'
mutate nets/registry.c build 's/head->dropout > 0 \&\& !cut/head->dropout > 0/' 'dropout behind cut blocks'
mutate nets/registry.c build 's/cut ? TX_HEAD_IN : head->init/head->init/' 'initial values of a head behind cut blocks'
mutate nets/blocks.c build 's/        weight.a = 1 \/ sqrt(out)/        weight.a = 1 \/ sqrt(in)/' 'initial values of the head of EfficientNet'
mutate nets/blocks.c build 's/tx_node_init(x, 1, (tx_init){TX_INIT_ZERO, 0})/(void)x/' 'the bias of a squeeze begins at random'
mutate nets/densenet.c build 's/tx_net_he(in, kernel)/tx_net_he(out, kernel)/' 'fan out for fan in'
mutate nets/densenet.c nets_names 's/"features.transition^.norm"/"features.transition#.norm"/' 'which norm a cut DenseNet takes'
mutate nets/efficientnet.c build 's/.squeeze = in \/ 4/.squeeze = stage[s].expansion * in \/ 4/' 'squeeze by the expanded width'
mutate nets/efficientnet.c build 's/0.2 \* before++ \/ blocks/0.2 * ++before \/ blocks/' 'stochastic depth counted from 1'
mutate nets/mobilenet_v2.c build 's/i ? 1 : s->stride/i == s->blocks - 1 ? s->stride : 1/' 'the stride at the end of a stage'
mutate nets/inception_v3.c inception 's/, .count_include_pad = 1//' 'an average that leaves out the padding'
mutate nets/inception_v3.c inception 's/b = unit(g, b, "branch7x7_2", within, 1, 7)/b = unit(g, b, "branch7x7_2", within, 7, 1)/' 'rows for columns'
mutate nets/inception_v3.c build 's/{"Mixed_6d", .C., 160/{"Mixed_6d", '"'C'"', 192/' 'width of a module'
mutate nets/inception_v4.c inception 's/{pool, valid(g, x, "3.conv", 96, 2)}/{valid(g, x, "3.conv", 96, 2), pool}/' 'what stands first behind the stem'
mutate nets/blocks.c build 's/{.eps = 1e-3}/{.eps = 1e-5}/' 'eps of the Inceptions'
mutate nets/blocks.c build 's/weight = (tx_init){TX_INIT_NORMAL, 0.1}/weight = (tx_init){TX_INIT_NORMAL, 0.01}/' 'initial values of the head of Inception-v3'
mutate io/match.c nets_names 's/strncmp(name, names->ignored, strlen(names->ignored)) == 0/strcmp(name, names->ignored) == 0/' 'the auxiliary head is passed over'
mutate nets/mobilenet_v3.c build 's/{0, 1, 3, 6, 10, 12, 15}/{0, 1, 3, 6, 10, 11, 15}/' 'where MobileNetV3 is cut'
mutate nets/mobilenet_v3.c squeeze 's/\.inner = TX_ACT_RELU/.inner = HS/' 'the activation of a squeeze-excite'
mutate nets/mobilenet_v3.c build 's/EPS 1e-3/EPS 1e-5/' 'eps of MobileNetV3'
mutate nets/network.c build 's/ && choice->eps != 0//' 'eps of the network itself'
mutate nets/names.c nets_names 's/row->eps > 0 && matches(row->other/row->eps > 0 \&\& matches(row->name/' 'whose names mean another eps'
mutate bench/recognise.c bench_foreign 's/ \&\& eps > 0 \&\& eps <= 1)/)/' 'any number is an eps'
mutate bench/recognise.c bench_foreign 's/eps = tx_net_eps_by_name/eps = 0 * tx_net_eps_by_name/' 'eps of timm'
mutate io/match.c nets_names 's/ && t->shape\[3\] == 1//' 'a 1x2 convolution as a linear layer'
f=nets/nasnet.c
mutate $f build 's/x->w % 2 == 0 ? -1 : 0/x->w % 2 == 1 ? -1 : 0/' 'windows that begin later on odd sides'
mutate $f nasnet 's/(stepping){2, i > 0}/(stepping){2, 1}/' 'the first cell is padded as the others'
mutate $f nasnet 's/.bottom = 1, .right = 1/.bottom = 1, .right = 0/' 'a half has a column less'
mutate $f nasnet 's/tx_relu(g, y), 2, kernel/y, 2, kernel/' 'no ReLU within a separable convolution'
mutate nets/names.c nets_names 's/ - (\*p - .0.)//' 'stages of timm counted as torchvision does'
mutate bench/recognise.c check_nets 's/if (strcmp(next.net->family, choice->net->family))/if (0)/' 'a network that could be two is guessed'
mutate bench/table.c check_nets 's/rest > name ? ".." : ""/""/' 'what is left out of a name is not shown'
# ---- the command line
f=io/nearest.c
mutate $f bench_parts 's/best \&\& least <= near/best/' 'usage: every name is near'
mutate $f bench_parts 's/n < 5 ? 1 :/n < 4 ? 1 :/' 'usage: half of a short name may be another'
mutate $f bench_parts "s/name\\[i\\] == '_' ||/0 ||/" 'usage: an underscore is no dash'
mutate $f bench_parts 's/strncmp(typed, name, n) == 0/0/' 'usage: the beginning of a name is far from it'
mutate bench/words.c check_usage 's/if (v == 0 \&\& strpbrk/if (0 \&\& strpbrk/' 'usage: what rounds to 0 is 0'
f=bench/main.c
mutate $f check_usage 's/stands_alone(argv\[at\]) ? 1 : 2/1/' 'usage: the value of an option before the command is the command'
mutate $f check_usage 's/"-V", "--version"/"-v", "--version"/' 'usage: -V'
f=bench/options_read.c
mutate $f check_usage 's/i < argc \&\& strcmp(argv\[i\], "--"); i++/i < argc; i++/' 'usage: --help behind --'
mutate $f check_usage 's/option_find(next + 2) < 0/1/' 'usage: an option is the value of the one before it'
mutate $f check_usage 's/} else if (!\*text) {/} else if (0) {/' 'usage: empty arguments'
mutate $f check_usage 's/(text\[2\] \& 0xf8) == 0x90/0/' 'usage: another dash'
mutate $f check_usage 's/if (status == EXIT_DONE)$/if (0)/' 'usage: options without effect are not said'
f=bench/hints.c
mutate $f check_usage 's/if (is_argument(c, p))/if (0)/' 'usage: an option that is an argument here'
mutate $f check_usage 's/int taken = i >= 0 \&\& command_takes(c, i)/int taken = i >= 0/' 'usage: an option of other commands alone'
mutate $f check_usage "s/at\\[n\\] == 0 || at\\[n\\] == ' '/1/" 'usage: the beginning of a foreign name'
mutate $f check_usage 's/found == -1 ? i : option_count()/i/' 'usage: a value of several options'
f=bench/help.c
mutate $f check_usage 's/at + 1 + n > COLUMNS/at + n > COLUMNS/' 'usage: help of 81 columns'
f=bench/command_completion.c
mutate $f check_usage 's/if (k-- > 0)/if (k-- > 1)/' 'usage: completion of further arguments'
mutate $f check_usage 's/strncmp(value, "DIR", 3) == 0/0/' 'usage: completion of folders'
mutate $f check_usage 's/i=\$((i + 2))/i=$((i + 1))/' 'usage: completion behind --option=VALUE'

# ---- the run folder
f=bench/run.c
mutate $f bench_runs 's/at->evicted = at->best\[--at->kept\].step;/at->kept--;/' 'run: nothing is evicted'
mutate $f bench_runs 's/        status = run_remove_evicted(r);//' 'run: an evicted checkpoint stays after a crash'
mutate $f bench_runs 's/tx_journal_digest(r->table\[t\], r->at.table\[t\].sha256);//' 'run: digests of tables are not noted'
mutate $f bench_runs 's/r->at.table\[t\].bytes = tx_journal_bytes(r->table\[t\]);//' 'run: lengths of tables are not noted'
mutate $f bench_runs 's/t == RUN_ENVIRONMENT ? TX_JOURNAL_ALL : bytes/TX_JOURNAL_ALL/' 'run: tables are not cut back'
mutate $f bench_runs 's/position_add_end(at, at->total)/position_add_end(at, o->total)/' 'run: the new end is the former one'
mutate $f bench_runs 's/status = file_digest(r->folder, "done", at->former_done);/;/' 'run: a former done mark holds after a crash'
mutate $f bench_runs 's/return status ? status : remove_file(r, "done");/return status;/' 'run: a former done mark stays'
mutate $f bench_runs 's/at->clears = r->clear;//' 'run: clearing is not gone on with'
mutate $f bench_runs 's/        r->at.clears = 0;//' 'run: every state clears'
mutate $f bench_runs 's/r->at.states > 0 \&\& r->at.state\[r->at.states - 1\].step == r->at.step/0/' 'run: kept states are not known'
mutate $f bench_runs 's/at->restarted = o->restart;//' 'run: --restart is not noted'
mutate $f bench_runs 's/    if (status == TX_OK)$/    if (status == TX_OK \&\& 0)/' 'run: half of everything is left out'
f=bench/run_enter.c
mutate $f bench_runs 's/strcmp(mark->state, r->seal) != 0/0/' 'run: a done mark of another state'
mutate $f bench_runs 's/ \&\& r->at.restarted \&\& !r->extends//' 'run: --restart goes on with every run'
mutate $f bench_runs 's/status == TX_OK \&\& verdict == RUN_RESUMED \&\& r->at.restarted/0/' 'run: --restart begins anew each time'
mutate $f bench_runs 's/if (status == TX_ERR_FILE || status == TX_ERR_MEMORY)/if (0)/' 'run: what cannot be read now is taken for damage'
mutate $f bench_runs 's/status = check_folder(r->folder, \&r->at, finished, r->skips);/;/' 'run: damage is not looked for'
mutate $f bench_runs "s/o->init\[n\] == '\/'/0/" 'run: the initial weights are cleared'
mutate $f bench_runs 's/if (is < done)/if (is < done - 1)/' 'run: a step fewer than done'
mutate $f bench_runs 's/if (!o->constant)/if (0)/' 'run: any schedule is extended'
mutate $f bench_runs 's/is_length(key) ||/0 ||/' 'run: no run is extended'
mutate $f bench_runs 's/(r->at.clears || strcmp(hex, r->at.former_done) == 0)/r->at.clears/' 'run: a former done mark is another one'
f=bench/run_check.c
mutate $f bench_runs 's/wanted + (finished ? 1 : 0)/wanted/' 'run: rows added to a finished table'
mutate $f bench_runs 's/bytes == wanted \&\& strcmp(hex, at->table\[t\].sha256) == 0/bytes == wanted/' 'run: changed rows'
mutate $f bench_runs 's/strcmp(c.hex\[i\], at->best\[i\].sha256) != 0/0/' 'run: changed checkpoints'
mutate $f bench_runs 's/        status = check_kept(folder, \&at->state\[i\]);/        ;/' 'run: changed kept states'
mutate bench/run_state.c bench_runs 's/status = tx_safetensors_check(file);/;/' 'run: changed states'
mutate bench/numbers.c bench_runs 's/    tx_optimizer_set_steps(optimizer, steps);//' 'run: the optimiser begins anew'
mutate bench/run_state.c bench_runs 's/return status ? status : state_read_arrays(file, r);/return status;/' 'run: arrays are not read'
mutate bench/note.c bench_runs 's/return memcmp(hex, text + bytes - 65, 64) == 0;/return 1;/' 'run: changed done marks'
mutate bench/run_position.c bench_runs 's/tx_number_shortest(number, sizeof number, at->best\[i\].score)/tx_number_fixed(number, sizeof number, at->best[i].score, 0)/' 'run: scores are rounded'
mutate bench/digests.c bench_runs 's/return strncmp(text, line, n) == 0 ? n : 0;/return n;/' 'run: a chain that does not hold'
mutate bench/digests.c bench_runs 's/tx_sha256_add(&sha, chain, 64);//' 'run: lines are no chain'
mutate bench/run_folder.c bench_runs 's/ \&\& strcmp(step_name(\*step, again), name) == 0//' 'run: names that are nearly a run'"'"'s'
mutate bench/run_folder.c bench_runs 's/tx_folder_sweep(folder, is_file_name)/tx_folder_sweep(folder, NULL)/' 'run: leftovers of others are swept'
mutate io/journal.c io_file 's/    tx_sha256_add(&journal->sha, text, n);//' 'journal: lines without a digest'
mutate io/journal.c io_file 's/        tx_sha256_add(&journal->sha, block, n);//' 'journal: what is kept has no digest'
mutate io/seal.c io_safetensors 's/        tx_sha256_add(sha, s.hex\[i\], 64);//' 'seal: of the header alone'
mutate io/seal.c io_safetensors 's/        at += n;/        at = end;/' 'seal: of the beginning of each block'
mutate io/torch_write.c io_torch_write 's/int k = d + 1; k < t->dims/int k = d; k < t->dims/' 'pth: strides of the wrong side'
mutate io/torch_write.c io_torch_write 's/ + LOCAL + strlen(name) + 4) % ALIGNED/ + LOCAL + 4) % ALIGNED/' 'pth: not aligned'
mutate nets/names.c nets_names 's/look_up(c->net->timm_alias, c, name, &first, timm)/look_up(c->net->alias, c, name, \&first, timm)/' 'old names are written for timm'
mutate nets/names.c nets_names 's/            p += n + (p\[n\] == .|.);/            break;/' 'the first beginning of files alone'
mutate io/lock.c io_file 's/if (still_named(fd, path))/if (1)/' 'lock: on a file that has lost its name'
# ---- bits: the same numbers within rounding, in another order
mutate core/kernels/channel.h bits 's/a = v_add(a, v_load(x));/a = v_sub(a, v_load(x));/' 'another pivot of the variance'
mutate core/kernels/channel.h bits 's/square = v_fma(d, d, square);/square = v_add(v_mul(d, d), square);/' 'squares rounded twice'
mutate core/winograd.c winograd 's/GRADIENT_CHUNK = 144/GRADIENT_CHUNK = 72/' 'chunks of tiles of another length'
mutate core/kernels/update.h bits 's/v_add(g, v_mul(v_set1(decay), w))/v_fma(v_set1(decay), w, g)/' 'weight decay rounded once'
# ---- the contract: the same terms, summed or drawn in a way that threads, blocks, neighbours or a library decide
f=core/gemm.c
mutate $f threads 's/first = (run->first + slot) \* TX_GEMM_GROUP;/first = (run->first + (run->round > 1 ? run->round - 1 - slot : slot)) * TX_GEMM_GROUP;/' 'contract: order by threads'
mutate $f bits '/^static void gradient_task/,/^tx_status tx_gemm_gradient(/s/TX_GEMM_GROUP/run->group/g; s/size_t each; /size_t group, each; /; s/job->chunks = ceil_div(job->m, GEMM_CHUNK);/&\n    run->group = threads > 1 \&\& job->chunks > 16 ? 2 * TX_GEMM_GROUP : TX_GEMM_GROUP;/' 'contract: chunks by threads above 16 chunks'
mutate $f threads '/^static void gradient_task/,/^tx_status tx_gemm_gradient(/s/TX_GEMM_GROUP/run->group/g; s/size_t each; /size_t group, each; /; s/job->chunks = ceil_div(job->m, GEMM_CHUNK);/&\n    run->group = threads > 7 \&\& job->chunks > 16 ? 2 * TX_GEMM_GROUP : TX_GEMM_GROUP;/' 'contract: chunks by more than 7 threads above 16 chunks'
mutate core/winograd.c winograd 's/gradient_run run = {.threads = /gradient_run run = {.kernels = machine->kernels, .threads = /; s/ceil_div(most, GRADIENT_CHUNK)/ceil_div(most, 10 * (size_t)run->kernels->tile_m)/' 'contract: chunk by tile'
mutate core/channel.c threads 's/slice, slices;/slice, slices, length;/; s/chunk \* TX_CHUNK, TX_CHUNK)/chunk * pass->length, pass->length)/; s/slice, first = chunk \* TX_CHUNK;/slice, first = chunk * pass->length;/; s/pass->chunks = ceil_div(pass->pixels, TX_CHUNK);/pass->length = machine->threads > 8 \&\& pass->pixels > 16 * TX_CHUNK ? 2 * TX_CHUNK : TX_CHUNK;\n    pass->chunks = ceil_div(pass->pixels, pass->length);/' 'contract: sums by block'
mutate core/channel.c threads 's/result\[kind\]\[j\] += (double)\(pass->partial.*\);/result[kind][j] = (double)((float)result[kind][j] + \1);/' 'contract: float merges of sums'
mutate core/channel.c threads 's/mean\[j\] += \((double)k .*\);/mean[j] = (double)(float)(mean[j] + \1);/' 'contract: float merges of moments'
mutate core/channel.c core_sums 's/sum\[j\] += (double)partial\[j\];/sum[j] = (double)((float)sum[j] + partial[j]);/' 'contract: float merges of images'
mutate core/channel.c core_sums '/^static void merge_sums/,/^}/s/for (size_t chunk = 0; chunk < pass->chunks; chunk++)/for (size_t chunk = pass->chunks; chunk-- > 0;)/' 'contract: chunks from the last on'
mutate core/channel.c core_sums '/^static void gate_task/,/^}/s/first += TX_CHUNK/first += TX_CHUNK \/ 2/; /^static void gate_task/,/^}/s/pixels - first, TX_CHUNK/pixels - first, TX_CHUNK \/ 2/' 'contract: gates in chunks of their own'
f=layers/conv2d.c
for t in bits bench_batches; do
    mutate $f $t 's/^#include "conv2d.h"/&\nstatic int images;\n#define is_winograd(node) (images > 1 \&\& is_winograd(node))/; /^static void conv2d_plan(/,/^}/s/^{$/{\n    images = s->n;/' 'contract: algorithm by batch'
done
mutate layers/bce.c lint 's/tx_log1p(tx_exp(-fabs(x)))/log1p(exp(-fabs(x)))/' 'contract: libm in a head'
mutate layers/bce.c bits 's/return (1 - t) \* tx_logistic(x)/return (1 - t) * (double)(1 \/ (1 + expf((float)-x)))/' 'contract: libm in a head, in floats'
mutate layers/bce.c lint '/^static tx_status bce_forward/,/^}/s/^    for (size_t p = 0; .*/#pragma omp parallel for reduction(+ : sum)\n&/' 'contract: omp reduction'
mutate bench/model.c bench_model 's/return (x->step > y->step) - (x->step < y->step);/return (x->step < y->step) - (x->step > y->step);/' 'contract: ties in a sort'
mutate layers/dropout.c bits 's/kept(step->node, step->seed, step->run, pixel/kept(step->node, step->seed + pixel % (size_t)step->machine->threads, step->run, pixel/' 'contract: drop-out by thread'

# ---- class activation maps
mutate nets/registry.c maps 's/tx_node \*x = tx_global_mean(graph, nodes.features);/&\n    nodes.features = nodes.features->input[0];/' 'maps: the features before their last activation'
f=nets/cam.c
mutate $f maps 's/(float)(sum \/ (double)pixels)/(float)sum/' 'maps: the gradient of a mean'
mutate $f nets_cam 's/cam->mean + (size_t)image \* c/cam->mean/' 'maps: the means of another image'
mutate $f nets_cam 's/    if (cam->version == from->version)/    if (cam->version)/' 'maps: a head with the weights before'
mutate $f nets_cam 's/\[(size_t)k \* classes + (size_t)task\[k\]\] = 1/[(size_t)k * classes + (size_t)task[0]] = 1/' 'maps: one task for all rows'
mutate $f nets_cam 's/raw + (size_t)(from + k) \* pixels/raw + (size_t)k * pixels/' 'maps: the second rows of the head over the first'
mutate core/session.c maps 's/gradient\[i\] = dy ? dy\[i\] : 1;/gradient[i] = 1;/' 'maps: not the gradient of one logit'

mutate io/deflate.c png_write 's/smaller\[i\] = (smaller\[i\] + 1) \/ 2/smaller[i] \/= 2/' 'maps: symbols that lose their codes'
mutate io/deflate.c png_write 's/at + 1 - next <= WINDOW/at + 1 - next < WINDOW/' 'maps: the furthest repetition'
mutate io/png_write.c png_write 's/pa <= pb \&\& pa <= pc/pa < pb \&\& pa < pc/' 'maps: ties of a filter'
mutate io/png_write.c png_write 's/crc32(0, to + 4, size + 4)/crc32(0, to + 8, size)/' 'maps: what a checksum covers'
mutate io/heat.c png_write 's/y \* rows - 0.5/y * (rows - 1)/' 'maps: centres of cells'
f=bench/fractal.c
mutate $f bench_fractal 's/m\[0\] \* 1.2, m\[1\]/m[0], m[1]/' 'fractals: an instance that stretches'
mutate $f bench_fractal 's/m\[3\] \* 1.2) < most/m[3]) < most/' 'fractals: an instance that stretches in d'
mutate $f bench_fractal 's/while (share < FILL)/while (0)/' 'fractals: classes of thin lines'
mutate $f bench_fractal 's/area\[k\] = fabs(.*);/area[k] = 1;/' 'fractals: maps of one probability'
mutate $f bench_fractal 's/v->mirror\[1\] = .*;/v->mirror[1] = 0;/' 'fractals: never upside down'
mutate $f bench_fractal 's/OF_PICTURE + instance);/OF_PICTURE);/' 'fractals: instances are alike'
mutate $f bench_fractal 's/        tx_free(count);/        ;/' 'fractals: a leak'
f=bench/pretrain.c
mutate $f check_pretrain 's/.first = (uint32_t)p->instances/.first = 0/' 'pretrain: measured on what it was trained on'
mutate $f check_pretrain 's/TX_RANDOM_SHUFFLE, epoch,/TX_RANDOM_SHUFFLE, 0,/' 'pretrain: every epoch in one order'
f=bench/pretrain_file.c
mutate $f check_pretrain 's/        status = numbers_take(file, p->weights, p->optimizer);/        ;/' 'pretrain: goes on from other weights'
mutate $f check_pretrain 's/if (!found || strcmp(found, made->pair\[i\].value))/if (!found)/' 'pretrain: weights of other options'
mutate $f check_pretrain 's/(!noted || strcmp(noted, digest))/!noted/' 'pretrain: damaged weights'
mutate $f check_pretrain 's/tx_status status = tx_safetensors_check(file);/tx_status status = TX_OK;/' 'pretrain: a damaged state'
mutate bench/study.c check_study 's/enum { CUTS = 3 }/enum { CUTS = 2 }/' 'study: three truncations'
mutate bench/study_preset.c check_study 's/ \&\& !has_key(s->text, \&own)//' 'study: the key of a network before that of all'
mutate bench/study_ensemble.c check_study 's/mean\[i\] \/= (double)m->files/mean[i] \/= 1/' 'study: an ensemble is a mean'
mutate bench/study_record.c check_study 's/if (strcmp(hex, note->pair\[i\].value))/if (0)/' 'study: a product that was changed'
mutate bench/study_record.c check_study 's/if (!of || strcmp(of, s->record))/if (0)/' 'study: the job of another study'
mutate bench/study_run.c check_study 's/if (s->gate\[0\] >= 0 \&\& j->state/if (0 \&\& j->state/' 'study: a job that another process has tried is tried again'
mutate bench/study_record.c check_study 's/cut_paths(text->data);/(void)cut_paths;/' 'study: no places in failed.txt'
mutate bench/study_record.c check_study 's/text->length = strlen(text->data);//' 'study: nothing behind the message in failed.txt'
mutate bench/study_run.c check_study 's/if (code == EXIT_FAILED || code == EXIT_USAGE)/if (0)/' 'study: a job that fails is noted'
mutate bench/study_results.c check_study 's/return r->by_patient ? /return 0 ? /' 'study: whose resamples intervals are of'
mutate bench/study_disk.c check_study 's/if (need > free)/if (0)/' 'study: a disk that is full'
mutate bench/cam_boxes.c check_cam 's/v >= most \/ 2/v > 0/' 'maps: IoU at half the maximum'
mutate bench/cam_boxes.c check_cam 's/x < row\[i\]->x + row\[i\]->w/x < row[i]->w/' 'maps: where a box ends'
mutate bench/cam_files.c check_cam 's/(before > after ? before : after) + 1/1/' 'maps: names that tell images apart'
mutate bench/cam_boxes.c bench_study_cam 's/covered += (size_t)in;/covered++;/' 'maps: the share of an image in boxes'
mutate bench/study_cam.c bench_study_cam 's/order = (x->task > y->task) - (x->task < y->task);/order = compare(x->line, y->line);/' 'maps: a row an image and finding, not a box'
mutate bench/study_cam_page.c bench_study_cam 's/if (of->low < of->high)/if (!isnan(of->low))/' 'maps: an interval where resamples cannot differ'
mutate bench/study_cam.c bench_study_cam 's/!outside_train(e) || is_example/is_example/' 'maps: examples of images outside train'
mutate bench/study_cam_picture.c bench_study_cam 's/rectangle(p, left, top, right, bottom, 255);//' 'maps: outlines'
mutate bench/study_cam_scores.c bench_study_cam 's/return strcmp(r->split, "train") && r->boxes/return r->boxes/' 'maps: figures outside train'
mutate bench/study_cam_scores.c bench_study_cam 's/join(&u, &less, -1)/join(\&u, \&less, 1)/' 'maps: differences'
mutate bench/study_cam_scores.c bench_study_cam 's/how->by_patient ? patient : image/image/' 'maps: resamples of patients'
mutate bench/bootstrap.c bench_bootstrap 's/drawn\[l\] += times\[l\];/drawn[l]++;/' 'bootstrap: a mean over what was drawn'
mutate bench/command_verify.c check_verify 's/found > \*worst ? found/found ? DIFFERENT/' 'verify: a study is what its worst job is'
f=bench/verify_steps.c
mutate $f check_verify 's/if (strcmp(hex, v->row\[i\].sha256) == 0)/if (1)/' 'verify: every digest is equal'
mutate $f check_verify 's/if (strncmp(found, row, strlen(row)) == 0)/if (1)/' 'verify: every loss is equal'
mutate $f check_verify 's/if (r->resumed)$/if (1)/;s/return state_read_arrays(r->resumed, r);/return TX_OK;/' 'verify: images that are others now'
mutate $f check_verify 's/uint64_t last = v->damages ? v->from : v->to;/uint64_t last = v->from;/' 'verify: nothing is repeated'
f=bench/verify_tensors.c
mutate $f check_verify 's/if (bits\[0\] == bits\[1\])/if (i < 2000)/' 'verify: which element differs'
mutate $f check_verify 's/memcpy(&bits\[1\], &expected\[i\]/memcpy(\&bits[1], \&found[i]/' 'verify: no element differs'
f=bench/verify_files.c
mutate $f check_verify 's/int sound = at->state\[i\].step <= wanted/int sound = 1/' 'verify: a state behind --from'
mutate $f check_verify 's/if (strlen(v->mark.product\[i\]) == 64)/if (0)/' 'verify: the report is not looked at'
mutate bench/verify_products.c check_study 's/        compare_text(v, file, now, .*/        ;/' 'verify: ensembles are not compared'
mutate bench/verify_products.c check_study 's/if (bytes == size \&\& memcmp(then, now, size) == 0)/if (1)/' 'verify: pictures are not compared'
mutate bench/verify_products.c check_study 's/if (of \&\& strcmp(of, hex) == 0)/if (0)/' 'verify: maps are not made again'
mutate bench/verify_setup.c check_verify 's/strcmp(identity, v->t.run.at.identity) != 0/0/' 'verify: other data'

# ---- predictions of others, and comparisons
f=bench/prediction_table.c
mutate $f check_eval_csv 's/if (i == from || value > score\[k\])/if (i == from)/' 'others: not the largest of views'
mutate $f check_eval_csv 's/        if (strcmp(t->row\[i - 1\].path, t->row\[i\].path) == 0)/        if (0)/' 'others: a row that stands twice'
mutate $f check_eval_csv 's/    if (exact < end)/    if (0)/' 'others: the path itself does not go before its like'
mutate $f bench_predictions 's/order = compare(x->path, x->whole, y->path, y->whole);/;/' 'others: rows that fit stand in any order'
mutate $f check_eval_csv 's/return exact == end \&\& \*to < end ? .*$/return TX_OK;/' 'others: of two that fit the first'
mutate $f check_eval_csv 's/    while (t->study_rows \&\& n > 1/    while (0 \&\& n > 1/' 'others: a slash behind a study'
f=bench/eval_compare.c
mutate $f check_eval_csv 's/TX_NORMAL_95 \* r->difference_se/r->difference_se/' 'compared: an interval of one standard error'
mutate $f check_eval_csv 's/status == TX_OK \&\& models < entries/0/' 'compared: the ensemble with each member'
mutate $f check_eval_csv 's/compare_pair(p, models, m)/compare_pair(p, m, models)/' 'compared: the ensemble minus its members'
mutate $f check_eval_csv 's/ \&\& !repeats(c, i);/;/' 'compared: means of the same tasks are several tests'
mutate $f check_eval_csv 's/            all \&= has;/            ;/' 'compared: on what some have no scores of'
mutate $f check_eval_csv 's/m < (models > COMPARE_ALL ? 1 : models)/m < models/' 'compared: every pair of many'
mutate $f check_eval_csv 's/status = mean_replicates(b, pair, tasks, 1, i, of_b)/status = mean_replicates(b, pair, tasks, 0, i, of_b)/' 'compared: means of other tasks'
f=bench/eval_ensemble.c
mutate $f check_eval_csv 's/+= one->probability\[i \* of + from\]/+= one->probability[i * of + k]/' 'ensemble: of other tasks'
mutate $f check_eval_csv 's/        \*why = "not all scores are probabilities";/        ;/' 'ensemble: of scores that are no probabilities'
mutate bench/scores.c bench_scores 's/(double)(float)p == p ? tx_number_print(out, TX_NUMBER, p, 9) : //' 'figures: floats in digits of doubles'
mutate io/dataset_paths.c io_names 's/while (itself \&\& whole > 1/while (0 \&\& whole > 1/' 'table: slashes behind a study'
mutate io/dataset_columns.c io_dataset 's/    if (!r->options->studies)/    if (0)/' 'table: studies without having been asked for'

# ---- the house
mutate core/error.c lint '$a\\nsize_t tx_circle(void);\nsize_t tx_circle(void)\n{\n    return tx_alloc_spoiled();\n}' 'circle: errors look at memory, which reports errors'
mutate io/text.c lint '$a\\nvoid *tx_circle = (void *)tx_checkpoint_check;' 'circle: by way of a third file'

# ---- the check that operations go through
f=test/layers_check.h
mutate $f own 's/^        layer_forget(run);//' 'what backward reads untold is still there'
mutate $f own 's/\.more = 1/.more = 0/' 'run with as many images as planned for'
mutate $f own 's/\.add = 1/.add = 0/; s/\.add = 2/.add = 0/' 'gradients are never added'
mutate $f own 's/\.in_place = 1/.in_place = 0/' 'never in place'
mutate $f own 's/, \.no_grad = 1//; s/\.no_grad = ~0u/.no_grad = 0/' 'no parameter is frozen'
mutate $f own 's/\.no_dx = ~0u/.no_dx = 0/' 'every dx is wanted'
mutate $f own 's/for (int probe = 0; probe < probes/for (int probe = 0; probe < 0/' 'no differences'
mutate $f own 's/+ ++tensors % 0x3fffffu/+ 1/' 'one NaN in all guards'
mutate $f own 's/^        other\.act = act;//' 'no activation is fused'
mutate $f own 's/other\.gate = (node->op->reads \& TX_READS_GATE) != 0 .*/;/; s/^    o\.gate = 1;//' 'nothing is read through a gate'
mutate $f own 's/    for (int mode = 0; mode < (node->op->no_gradient ? 1 : 3); mode++) {/    for (int mode = 0; mode < 1; mode++) {/' 'forward alone'
