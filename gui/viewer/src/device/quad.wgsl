// Rectangles of one color, placed in physical pixels.

struct Place {
    // The top left corner of the batch, and the size of the window.
    origin: vec2<f32>,
    viewport: vec2<f32>,
};

@group(0) @binding(0) var<uniform> place: Place;

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) color: vec4<f32>,
};

@vertex
fn corner(
    @builtin(vertex_index) index: u32,
    @location(0) across: vec2<f32>,
    @location(1) rows: u32,
    @location(2) color: vec4<f32>,
) -> Corner {
    let right = f32(index & 1u);
    let below = f32(index >> 1u);
    let top = f32(rows & 0xffffu);
    let height = f32(rows >> 16u);
    let pixel = place.origin + vec2<f32>(across.x + right * across.y, top + below * height);
    let unit = pixel / place.viewport * 2.0 - 1.0;
    var out: Corner;
    out.position = vec4<f32>(unit.x, -unit.y, 0.0, 1.0);
    out.color = color;
    return out;
}

@fragment
fn fill(in: Corner) -> @location(0) vec4<f32> {
    return in.color;
}

@fragment
fn fill_linear(in: Corner) -> @location(0) vec4<f32> {
    let low = in.color.rgb / 12.92;
    let high = pow((in.color.rgb + vec3<f32>(0.055)) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, in.color.rgb < vec3<f32>(0.04045)), in.color.a);
}
