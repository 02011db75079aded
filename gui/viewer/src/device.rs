//! Rectangles of timelines on the graphics card: one instanced draw a batch, uploaded only when it
//! changed.

use std::collections::BTreeMap;

use bytemuck::{Pod, Zeroable};
use eframe::egui_wgpu::{
    Callback, CallbackResources, CallbackTrait, RenderState, ScreenDescriptor, wgpu,
};
use egui::{PaintCallbackInfo, Painter, Rect};
use timeline::{Batch, Layer, Quad, QuadSink};

const SHADER: &str = include_str!("device/quad.wgsl");

/// The most rectangles of a batch: 64 MiB, within every adapter's limit of a buffer.
const MOST: usize = (64 << 20) / size_of::<Quad>();

/// Where a batch lies, in physical pixels.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
struct Place {
    origin: [f32; 2],
    viewport: [f32; 2],
}

/// The pipeline, kept with the renderer, and a batch of each layer.
#[derive(Debug)]
struct Resources {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    uploaded: BTreeMap<Layer, Uploaded>,
}

#[derive(Debug)]
struct Uploaded {
    generation: u64,
    count: u32,
    instances: wgpu::Buffer,
    place: wgpu::Buffer,
    bind: wgpu::BindGroup,
}

/// Draws batches on a device.
#[derive(Clone, Copy, Debug)]
pub struct DeviceSink(());

impl DeviceSink {
    /// Puts the pipeline among the resources of a renderer.
    pub fn new(render: &RenderState) -> Self {
        let resources = Resources::new(&render.device, render.target_format);
        render.renderer.write().callback_resources.insert(resources);
        Self(())
    }
}

impl QuadSink for DeviceSink {
    fn quads(&mut self, painter: &Painter, rect: Rect, batch: &Batch) {
        if batch.quads.is_empty() || !rect.is_positive() {
            return;
        }
        let scale = painter.pixels_per_point();
        let origin = [(rect.min.x * scale).round(), (rect.min.y * scale).round()];
        // The callback covers the visible part alone: a viewport may not reach over the window.
        let visible = rect.intersect(painter.clip_rect());
        if visible.is_positive() {
            let batch = batch.clone();
            painter.add(Callback::new_paint_callback(
                visible,
                Quads { batch, origin },
            ));
        }
    }
}

struct Quads {
    batch: Batch,
    /// The top left corner of the batch, in physical pixels of the window.
    origin: [f32; 2],
}

impl CallbackTrait for Quads {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        screen: &ScreenDescriptor,
        _: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let Some(resources) = resources.get_mut::<Resources>() else {
            return Vec::new();
        };
        let uploaded = resources.uploaded(device, queue, &self.batch);
        let place = Place {
            origin: self.origin,
            viewport: screen.size_in_pixels.map(|pixels| pixels as f32),
        };
        queue.write_buffer(&uploaded.place, 0, bytemuck::bytes_of(&place));
        Vec::new()
    }

    fn paint(
        &self,
        info: PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        let Some(resources) = resources.get::<Resources>() else {
            return;
        };
        let Some(uploaded) = resources.uploaded.get(&self.batch.layer) else {
            return;
        };
        // Quads are placed in the window; egui has set the scissors to the visible part.
        let [width, height] = info.screen_size_px.map(|pixels| pixels as f32);
        pass.set_viewport(0.0, 0.0, width, height, 0.0, 1.0);
        pass.set_pipeline(&resources.pipeline);
        pass.set_bind_group(0, &uploaded.bind, &[]);
        pass.set_vertex_buffer(0, uploaded.instances.slice(..));
        pass.draw(0..4, 0..uploaded.count);
    }
}

impl Resources {
    fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("quads"),
            source: wgpu::ShaderSource::Wgsl(SHADER.into()),
        });
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("quads"),
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::VERTEX,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            }],
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("quads"),
            bind_group_layouts: &[Some(&layout)],
            ..wgpu::PipelineLayoutDescriptor::default()
        });
        let attributes = wgpu::vertex_attr_array![0 => Float32x2, 1 => Uint32, 2 => Unorm8x4];
        let instances = wgpu::VertexBufferLayout {
            array_stride: size_of::<Quad>() as u64,
            step_mode: wgpu::VertexStepMode::Instance,
            attributes: &attributes,
        };
        let target = wgpu::ColorTargetState {
            format,
            blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
            write_mask: wgpu::ColorWrites::ALL,
        };
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("quads"),
            layout: Some(&pipeline_layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[Some(instances)],
            },
            fragment: Some(wgpu::FragmentState {
                module: &module,
                // Where the card encodes what it is given, it is given linear light, as egui does.
                entry_point: Some(if format.is_srgb() {
                    "fill_linear"
                } else {
                    "fill"
                }),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(target)],
            }),
            primitive: wgpu::PrimitiveState {
                topology: wgpu::PrimitiveTopology::TriangleStrip,
                ..wgpu::PrimitiveState::default()
            },
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            multiview_mask: None,
            cache: None,
        });
        Self {
            pipeline,
            layout,
            uploaded: BTreeMap::new(),
        }
    }

    /// A batch on the device: what is there already, or uploaded now.
    fn uploaded(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, batch: &Batch) -> &Uploaded {
        let quads = &batch.quads[..batch.quads.len().min(MOST)];
        let bytes = size_of_val(quads) as u64;
        let fits = |kept: &Uploaded| bytes <= kept.instances.size();
        if !self.uploaded.get(&batch.layer).is_some_and(fits) {
            let made = Uploaded::new(device, &self.layout, bytes);
            self.uploaded.insert(batch.layer, made);
        }
        let layout = &self.layout;
        let kept = self
            .uploaded
            .entry(batch.layer)
            .or_insert_with(|| Uploaded::new(device, layout, bytes));
        if kept.generation != batch.generation {
            queue.write_buffer(&kept.instances, 0, bytemuck::cast_slice(quads));
            kept.generation = batch.generation;
            kept.count = u32::try_from(quads.len()).unwrap_or(u32::MAX);
        }
        kept
    }
}

impl Uploaded {
    /// Room for so many bytes of rectangles, and a half more.
    fn new(device: &wgpu::Device, layout: &wgpu::BindGroupLayout, bytes: u64) -> Self {
        let room = (bytes + bytes / 2).min((MOST * size_of::<Quad>()) as u64);
        let instances = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("quads"),
            size: room.next_multiple_of(4).max(16),
            usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let place = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("place of quads"),
            size: size_of::<Place>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bind = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("quads"),
            layout,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: place.as_entire_binding(),
            }],
        });
        Self {
            generation: u64::MAX,
            count: 0,
            instances,
            place,
            bind,
        }
    }
}
