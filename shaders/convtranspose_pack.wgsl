// The weights of a transposed convolution as those of a convolution for one phase
// of its strides, in the order in which a register tile reads them.
//
// Outputs a stride apart meet the same taps: those at o = s*u + e, of phase e, are
// a convolution with stride 1 over a window of inputs from u + lo on, whose j-th
// column meets tap e + pad - s*(lo + j), and none where that is outside of the
// kernel.
//
//   packed[g][tile][c][j][i] = w[g*C + c][(first+tile)*TK + i][tap(j)]
//
// Layout:   w [groups*C, KG, kd, kh, kw]; packed [groups, tiles, C, window, TK]
// Tile:     the whole window and the TK channels of one (g, tile, c) for one
//           invocation
// Bindings: 0 params, 1 w, 2 packed
// Limits:   none

struct Params {
  total: u32,                                      // invocations: groups*tiles*C
  tiles: u32, first: u32,                          // tiles of a group; the first of them
  c: u32, kg: u32,                                 // channels of a group: C, KG
  kernel_d: u32, kernel_h: u32, kernel_w: u32,
  window_d: u32, window_h: u32, window_w: u32,
  stride_d: u32, stride_h: u32, stride_w: u32,
  base_d: u32, base_h: u32, base_w: u32,           // the tap of j = 0
}

const WG = 8u;
const TK = 8u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + grid.x * (group.y + grid.y * group.z)) * WG + local;
  if (id >= p.total) { return; }
  let tile = id / p.c % p.tiles + p.first;
  let row = (id / (p.c * p.tiles) * p.c + id % p.c) * p.kg; // in rows of taps
  let window = p.window_d * p.window_h * p.window_w;
  for (var i = 0u; i < TK; i++) {
    let k = tile * TK + i;
    let at = (row + k) * p.kernel_d;
    // One loop, not three. A tap before the first wraps around, and so is none.
    var d = p.base_d;
    var h = p.base_h;
    var v = p.base_w;
    var jh = 0u;
    var jw = 0u;
    for (var j = 0u; j < window; j++) {
      let ok = k < p.kg && d < p.kernel_d && h < p.kernel_h && v < p.kernel_w;
      let source = ((at + d) * p.kernel_h + h) * p.kernel_w + v;
      out[(id * window + j) * TK + i] = select(0.0, w[select(0u, source, ok)], ok);
      v -= p.stride_w;
      jw++;
      if (jw == p.window_w) {
        jw = 0u;
        v = p.base_w;
        h -= p.stride_h;
        jh++;
        if (jh == p.window_h) {
          jh = 0u;
          h = p.base_h;
          d -= p.stride_d;
        }
      }
    }
  }
}
