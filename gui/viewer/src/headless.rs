//! Pictures without a display: the same application, drawn into a texture.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use eframe::egui_wgpu::{
    RenderState, RendererOptions, ScreenDescriptor, WgpuConfiguration, WgpuSetup,
    WgpuSetupCreateNew, wgpu,
};
use egui::{Context, FullOutput, Pos2, RawInput, Rect, Ui, Vec2, ViewportId};

/// How a picture is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Width and height in points.
    pub size: Vec2,
    /// Pixels per point.
    pub scale: f32,
    /// Dark or light.
    pub theme: egui::Theme,
}

/// An image of opaque pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Red, green, blue and alpha, row after row.
    pub rgba: Vec<u8>,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Nothing can draw.
    #[error("no graphics adapter was found: {reason}")]
    NoAdapter {
        /// What the graphics library says.
        reason: String,
    },
    /// The adapter gave up.
    #[error("the graphics adapter failed: {reason}")]
    Device {
        /// What the graphics library says.
        reason: String,
    },
    /// The picture is larger than the adapter can draw.
    #[error("a picture of {width} x {height} pixels is too large: at most {most} a side")]
    TooLarge {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
        /// The limit of the adapter.
        most: u32,
    },
    /// The file cannot be written.
    #[error("{reason}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl PictureError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoAdapter { .. } => Some(
                "install a Vulkan driver: on Debian and Ubuntu, `apt-get install mesa-vulkan-drivers` brings one that draws in software",
            ),
            Self::TooLarge { .. } => Some("choose a smaller --size or --scale"),
            Self::Device { .. } | Self::Write { .. } => None,
        }
    }
}

/// The longest that an adapter may take for a picture.
const PATIENCE: Duration = Duration::from_mins(1);

/// Something that draws without a display.
pub struct Studio {
    /// The device, for those who prepare resources on it.
    pub render: RenderState,
}

impl std::fmt::Debug for Studio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Studio({:?})", self.render.adapter.get_info().name)
    }
}

impl Studio {
    /// Looks for an adapter, software first: pictures come out the same wherever that is installed.
    ///
    /// # Errors
    ///
    /// [`PictureError::NoAdapter`].
    pub fn open() -> Result<Self, PictureError> {
        let mut setup = WgpuSetupCreateNew::without_display_handle();
        setup.native_adapter_selector = Some(Arc::new(|adapters, _| {
            let mut adapters: Vec<&wgpu::Adapter> = adapters.iter().collect();
            adapters.sort_by_key(|adapter| {
                let info = adapter.get_info();
                let is_software = info.device_type == wgpu::DeviceType::Cpu;
                (!is_software, info.backend != wgpu::Backend::Vulkan)
            });
            let first = adapters.first().map(|adapter| (*adapter).clone());
            first.ok_or_else(|| "none is installed".to_owned())
        }));
        let setup = WgpuSetup::CreateNew(setup);
        let instance = pollster::block_on(setup.new_instance());
        let config = WgpuConfiguration {
            wgpu_setup: setup,
            ..WgpuConfiguration::default()
        };
        let made = RenderState::create(&config, &instance, None, RendererOptions::PREDICTABLE);
        let render = pollster::block_on(made).map_err(|error| PictureError::NoAdapter {
            reason: error.to_string(),
        })?;
        Ok(Self { render })
    }

    /// Draws an interface: passes until it was settled in several in a row, then a picture of the last.
    ///
    /// * `settled` — asked after each pass whether nothing is to come any more.
    ///
    /// # Errors
    ///
    /// What the adapter reports.
    pub fn draw(
        &self,
        ctx: &Context,
        frame: Frame,
        mut ui: impl FnMut(&mut Ui),
        mut settled: impl FnMut() -> bool,
    ) -> Result<Picture, PictureError> {
        // Results arrive in one pass, ask for more in the next, and take room in the one after.
        const QUIET: usize = 3;
        const MOST: usize = 80;
        let size = self.size_of(frame)?;
        ctx.set_theme(frame.theme);
        let mut output = FullOutput::default();
        let mut quiet = 0;
        for pass in 0..MOST {
            let mut next = ctx.run_ui(input(frame, pass), &mut ui);
            self.take_textures(&mut next);
            output = next;
            quiet = if settled() { quiet + 1 } else { 0 };
            if QUIET < quiet {
                break;
            }
        }
        let texture = self.submit(ctx, &output, size);
        self.read_back(&texture, size)
    }

    /// One frame as the window draws it, until the adapter is done with it: for benchmarks.
    ///
    /// * `number` — of frames before it, at 60 a second.
    ///
    /// # Errors
    ///
    /// What the adapter reports.
    pub fn frame(
        &self,
        ctx: &Context,
        frame: Frame,
        number: usize,
        ui: impl FnMut(&mut Ui),
    ) -> Result<(), PictureError> {
        let size = self.size_of(frame)?;
        let mut output = ctx.run_ui(input(frame, number), ui);
        self.take_textures(&mut output);
        self.submit(ctx, &output, size);
        let done = self.render.device.poll(wgpu::PollType::Wait {
            submission_index: None,
            timeout: Some(PATIENCE),
        });
        done.map(drop).map_err(|error| PictureError::Device {
            reason: error.to_string(),
        })
    }

    /// The size of a picture in pixels, where the adapter can draw it.
    fn size_of(&self, frame: Frame) -> Result<[u32; 2], PictureError> {
        let most = self.render.device.limits().max_texture_dimension_2d;
        let size = frame.size * frame.scale;
        let [width, height] = [pixels(size.x), pixels(size.y)];
        if most < width.max(height) {
            return Err(PictureError::TooLarge {
                width,
                height,
                most,
            });
        }
        Ok([width, height])
    }

    fn take_textures(&self, output: &mut FullOutput) {
        let mut renderer = self.render.renderer.write();
        let (device, queue) = (&self.render.device, &self.render.queue);
        #[expect(
            clippy::iter_over_hash_type,
            reason = "textures are independent of each other"
        )]
        for (id, images) in output.textures_delta.set.drain() {
            for image in images {
                renderer.update_texture(device, queue, id, &image);
            }
        }
        #[expect(
            clippy::iter_over_hash_type,
            reason = "textures are independent of each other"
        )]
        for id in output.textures_delta.free.drain() {
            renderer.free_texture(&id);
        }
    }

    /// Gives the adapter a frame to draw into a texture.
    fn submit(
        &self,
        ctx: &Context,
        output: &FullOutput,
        [width, height]: [u32; 2],
    ) -> wgpu::Texture {
        let (device, queue) = (&self.render.device, &self.render.queue);
        let mut renderer = self.render.renderer.write();
        let scale = output.pixels_per_point;
        let screen = ScreenDescriptor {
            size_in_pixels: [width, height],
            pixels_per_point: scale,
        };
        let meshes = ctx.tessellate(output.shapes.clone(), scale);
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let before = renderer.update_buffers(device, queue, &mut encoder, &meshes, &screen);
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("picture"),
            size: extent(width, height),
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: self.render.target_format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        {
            let attachment = wgpu::RenderPassColorAttachment {
                view: &view,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                    store: wgpu::StoreOp::Store,
                },
                depth_slice: None,
            };
            let mut pass = encoder
                .begin_render_pass(&wgpu::RenderPassDescriptor {
                    label: Some("picture"),
                    color_attachments: &[Some(attachment)],
                    ..wgpu::RenderPassDescriptor::default()
                })
                .forget_lifetime();
            renderer.render(&mut pass, &meshes, &screen);
        }
        queue.submit(before.into_iter().chain([encoder.finish()]));
        texture
    }

    /// The pixels of a texture. Rows are padded on the device.
    fn read_back(
        &self,
        texture: &wgpu::Texture,
        [width, height]: [u32; 2],
    ) -> Result<Picture, PictureError> {
        let (device, queue) = (&self.render.device, &self.render.queue);
        let failed = |reason: String| PictureError::Device { reason };
        let row = width * 4;
        let padded = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("picture"),
            size: u64::from(padded) * u64::from(height),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(padded),
                    rows_per_image: None,
                },
            },
            extent(width, height),
        );
        let index = queue.submit([encoder.finish()]);
        let slice = buffer.slice(..);
        let (sender, receiver) = channel();
        slice.map_async(wgpu::MapMode::Read, move |mapped| {
            // Whoever waited may be gone after a failure.
            drop(sender.send(mapped));
        });
        let wait = wgpu::PollType::Wait {
            submission_index: Some(index),
            timeout: Some(PATIENCE),
        };
        device
            .poll(wait)
            .map_err(|error| failed(error.to_string()))?;
        match receiver.recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(error) => return Err(failed(error.to_string())),
        }
        let mapped = slice
            .get_mapped_range()
            .map_err(|error| failed(error.to_string()))?;
        let rows = mapped.chunks_exact(padded as usize);
        let rgba = rows.flat_map(|bytes| &bytes[..row as usize]).copied();
        Ok(Picture {
            width,
            height,
            rgba: rgba.collect(),
        })
    }
}

const fn extent(width: u32, height: u32) -> wgpu::Extent3d {
    wgpu::Extent3d {
        width,
        height,
        depth_or_array_layers: 1,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes of pictures are positive and were checked"
)]
fn pixels(points: f32) -> u32 {
    points.round().max(1.0) as u32
}

fn input(frame: Frame, pass: usize) -> RawInput {
    let mut input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, frame.size)),
        time: Some(pass as f64 / 60.0),
        ..RawInput::default()
    };
    if let Some(root) = input.viewports.get_mut(&ViewportId::ROOT) {
        root.native_pixels_per_point = Some(frame.scale);
    }
    input
}

impl Picture {
    /// It as egui keeps pictures.
    pub fn image(&self) -> egui::ColorImage {
        let size = [self.width as usize, self.height as usize];
        egui::ColorImage::from_rgba_unmultiplied(size, &self.rgba)
    }

    /// The picture as the bytes of a PNG file.
    ///
    /// # Errors
    ///
    /// Where the sizes do not fit, which is a bug.
    pub fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&self.rgba)?;
        Ok(bytes)
    }

    /// Writes the picture to a file: whole or not at all.
    ///
    /// # Errors
    ///
    /// [`PictureError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), PictureError> {
        let failed = |reason: String| PictureError::Write {
            path: path.to_owned(),
            reason,
        };
        let bytes = self.png();
        let bytes = bytes.map_err(|error| failed(format!("{}: {error}", path.display())))?;
        session::save(path, session::Existing::Replace, |out| {
            out.write_all(&bytes)
        })
        .map_err(|error| failed(error.to_string()))
    }
}
