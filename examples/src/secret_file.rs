//! The file with the root secret: 32 random bytes that only their owner reads.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use oauth_core::clock::{Random, SystemRandom};

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read, written or made.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("{}: must hold 32 random bytes, not {length}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// How many bytes it holds.
        length: usize,
    },
}

/// Reads the secret in `path`.
///
/// # Errors
/// [`SecretFileError`] names the file.
pub fn read(path: &Path) -> Result<[u8; 32], SecretFileError> {
    let bytes = fs::read(path).map_err(|source| SecretFileError::Io { path: path.into(), source })?;
    warn_if_shared(path);
    let length = bytes.len();
    bytes.try_into().map_err(|_| SecretFileError::Length { path: path.into(), length })
}

/// Whether there is nothing at `path`: neither a file nor a link.
#[must_use]
pub fn is_absent(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Finds out that a secret can be made at `path`, and leaves nothing behind.
///
/// # Errors
/// [`SecretFileError`] names the file.
pub fn try_make(path: &Path) -> Result<(), SecretFileError> {
    draft(path, |_| Ok(())).map_err(|source| SecretFileError::Io { path: path.into(), source })
}

/// Reads the secret in `path`, after making one if there is none.
///
/// # Errors
/// [`SecretFileError`] names the file.
pub fn read_or_make(path: &Path) -> Result<[u8; 32], SecretFileError> {
    if is_absent(path) {
        match make(path) {
            // Another node was faster: its secret is the one.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made.map_err(|source| SecretFileError::Io { path: path.into(), source })?,
        }
    }
    read(path)
}

/// Makes the file whole or not at all, and never over another one.
fn make(path: &Path) -> io::Result<()> {
    draft(path, |draft| fs::hard_link(draft, path))?;
    sync_folder(path)
}

/// Writes a secret beside `path`, and removes it once it was `used`.
fn draft(path: &Path, used: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut secret = [0; 32];
    SystemRandom.fill(&mut secret).map_err(io::Error::other)?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(name);
    let done = write(&draft, &secret).and_then(|()| used(&draft));
    let removed = fs::remove_file(&draft);
    done.and(removed)
}

/// Writes a new file that only its owner reads, and waits until it is on the disk.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// So that the name survives a power failure too.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(unix)]
fn warn_if_shared(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the root secret can be read by others; its mode should be 0600");
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("oauth-examples-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_secret_is_made_once_for_its_owner_alone() {
        let folder = Folder::new("secret");
        let path = folder.0.join("oauth.key");
        assert!(read(&path).unwrap_err().to_string().contains("oauth.key"));
        let secret = read_or_make(&path).unwrap();
        assert_eq!(read_or_make(&path).unwrap(), secret);
        assert_ne!(secret, [0; 32]);
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_secret_is_never_replaced() {
        let folder = Folder::new("twice");
        let path = folder.0.join("oauth.key");
        make(&path).unwrap();
        let secret = read(&path).unwrap();
        assert_eq!(make(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(read(&path).unwrap(), secret);
    }

    #[test]
    fn that_a_secret_can_be_made_is_found_out_without_making_one() {
        let folder = Folder::new("try");
        try_make(&folder.0.join("oauth.key")).unwrap();
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
        let error = try_make(&folder.0.join("none/oauth.key")).unwrap_err().to_string();
        assert!(error.contains("none/oauth.key: "), "{error}");
        #[cfg(unix)]
        {
            let link = folder.0.join("link");
            std::os::unix::fs::symlink("nowhere", &link).unwrap();
            assert!(!is_absent(&link) && read_or_make(&link).is_err() && !folder.0.join("nowhere").exists());
        }
    }

    #[test]
    fn a_file_of_another_length_is_not_a_secret() {
        let folder = Folder::new("length");
        let path = folder.0.join("oauth.key");
        fs::write(&path, "short").unwrap();
        let error = read_or_make(&path).unwrap_err().to_string();
        assert!(error.ends_with("must hold 32 random bytes, not 5"), "{error}");
    }
}
